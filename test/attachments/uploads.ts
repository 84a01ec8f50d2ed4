import assert from "node:assert/strict";
import sharp, { type Exif } from "sharp";
import type { Attachment, PartsPage, Presigned, UploadMethod } from "../../src/attachments/words.ts";
import type { Client } from "../support/client.ts";

export const MIB = 1024 * 1024;

/** A PNG of one colour. */
export const picture = async (width = 40, height = 30): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(
    await sharp({ create: { width, height, channels: 3, background: "#246" } })
      .png()
      .toBuffer(),
  );

/** A JPEG that is hard to compress: about a byte a pixel. */
export const noise = async (width: number, height: number, exif?: Exif): Promise<Uint8Array<ArrayBuffer>> => {
  const image = sharp({
    create: { width, height, channels: 3, background: "#000", noise: { type: "gaussian", mean: 128, sigma: 60 } },
  });
  return new Uint8Array(await (exif ? image.withExif(exif) : image).jpeg({ quality: 95 }).toBuffer());
};

/** Signs an upload. */
export const presign = async (
  client: Client,
  file: { file_name?: string; content_type?: string; size: number; method?: UploadMethod },
): Promise<Presigned> => {
  const { status, body } = await client.post<Presigned>("/attachments/presign", {
    file_name: "fox.png",
    content_type: "image/png",
    ...file,
  });
  assert.equal(status, 200, JSON.stringify(body));
  return body;
};

export const put = (url: string | null, body: BodyInit, type = "image/png"): Promise<Response> => {
  assert.ok(url);
  return fetch(url, { method: "PUT", headers: { "content-type": type }, body });
};

/** Sends a browser's form: the fields first, the file last. */
export const postForm = ({ upload_url, fields }: Presigned, body: Uint8Array<ArrayBuffer>): Promise<Response> => {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields ?? {})) form.append(name, value);
  form.append("file", new Blob([body]), "fox.png");
  return fetch(upload_url ?? "", { method: "POST", body: form });
};

/** Sends parts to their URLs; answers them as `complete` wants them. */
export const putParts = (bytes: Uint8Array<ArrayBuffer>, { part_size = 0, parts = [] }: Partial<PartsPage>) =>
  Promise.all(
    parts.map(async ({ part_number, upload_url }) => {
      const start = (part_number - 1) * part_size;
      const answer = await fetch(upload_url, { method: "PUT", body: bytes.slice(start, start + part_size) });
      assert.equal(answer.status, 200);
      return { part_number, etag: answer.headers.get("etag") ?? "" };
    }),
  );

/** Tells that an upload is there. */
export const complete = async (client: Client, id: string, body?: object): Promise<Attachment> => {
  const answer = await client.post<Attachment>(`/attachments/${id}/complete`, body);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
};

export const show = async (client: Client, id: string): Promise<Attachment> => {
  const { status, body } = await client.get<Attachment>(`/attachments/${id}`);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
};
