/** `POST /files` (multipart: `content` and `metadata`), list, get and delete. Files live for a day. */
import { Buffer } from "node:buffer";
import { createHash, randomUUID } from "node:crypto";
import type { Asked, Emulator } from "./kit.ts";
import { problem } from "./replicate-submit.ts";

const DAY_MS = 24 * 3_600_000;

type Uploaded = { id: string; expiresAt: number; wire: Record<string, unknown> };

const readUpload = async ({ headers, body }: Asked) => {
  const type = headers.get("content-type") ?? "";
  const form = await new Response(new Uint8Array(body), { headers: { "content-type": type } }).formData();
  const [content, metadata] = [form.get("content"), form.get("metadata")];
  if (!(content instanceof Blob)) return null;
  const text = metadata instanceof Blob ? await metadata.text() : (metadata ?? "{}");
  return { content, bytes: Buffer.from(await content.arrayBuffer()), metadata: JSON.parse(text) as unknown };
};

export const addFileRoutes = (emulator: Emulator, base: string): void => {
  const files = new Map<string, Uploaded>();
  const live = (id: string) => {
    const file = files.get(id);
    return file && emulator.now() < file.expiresAt ? file : null;
  };
  const notFound = () => problem(404, "Not found", "The requested resource could not be found.");

  emulator.route("upload", "POST", /^\/v1\/files$/, async (asked) => {
    const upload = await readUpload(asked).catch(() => null);
    if (!upload) return problem(400, "Bad request", "Missing content");
    const { content, bytes, metadata } = upload;
    const id = randomUUID();
    const expiresAt = emulator.now() + DAY_MS;
    const hash = (algorithm: string) => createHash(algorithm).update(bytes).digest("hex");
    const wire = {
      id,
      name: content instanceof File ? content.name : "blob",
      content_type: content.type,
      size: bytes.length,
      etag: hash("md5"),
      checksums: { sha256: hash("sha256"), md5: hash("md5") },
      metadata,
      created_at: new Date(emulator.now()).toISOString(),
      expires_at: new Date(expiresAt).toISOString(),
      urls: { get: `${base}/files/${id}` },
    };
    files.set(id, { id, expiresAt, wire });
    return { status: 201, json: wire };
  });
  emulator.route("files", "GET", /^\/v1\/files$/, () => {
    const results = [...files.keys()].flatMap((id) => live(id)?.wire ?? []);
    return { json: { previous: null, next: null, results } };
  });
  emulator.route("files", "GET", /^\/v1\/files\/([^/]+)$/, ({ captured: [id = ""] }) => {
    const file = live(id);
    return file ? { json: file.wire } : notFound();
  });
  emulator.route("files", "DELETE", /^\/v1\/files\/([^/]+)$/, ({ captured: [id = ""] }) =>
    files.delete(id) ? { status: 204 } : notFound(),
  );
};
