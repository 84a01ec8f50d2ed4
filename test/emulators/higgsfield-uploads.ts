import { randomUUID } from "node:crypto";
import type { Asked, Emulator, Reply } from "./kit.ts";

const TYPES = /^(image\/(jpeg|jpg|png|webp|gif)|audio\/(wav|x-wav)|video\/mp4)$/;
const HOUR_MS = 3600_000;

const denied = (code: string): Reply => ({
  status: 403,
  headers: { "content-type": "application/xml" },
  body: `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code></Error>`,
});

/**
 * Uploads: an address to put the bytes at, and one to read them from. With `tagged` the storage has signed a header
 * beyond the type, and refuses a PUT that lacks it, as the newest pages say.
 */
export const addUploads = (emulator: Emulator, { tagged }: { tagged: boolean }) => {
  const { now, url } = emulator;
  const slots = new Map<string, { type: string; headers: Record<string, string>; at: number; bytes: Buffer | null }>();
  const find = ({ captured: [id = ""] }: Asked) => slots.get(id);

  emulator.route("upload", "POST", /^\/files\/generate-upload-url$/, ({ json }) => {
    const type = (json as { content_type?: unknown } | undefined)?.content_type;
    if (typeof type !== "string" || !TYPES.test(type)) {
      return {
        status: 422,
        json: { detail: [{ loc: ["body", "content_type"], msg: "Unsupported type", type: "enum" }] },
      };
    }
    const id = randomUUID();
    const headers = { "Content-Type": type, ...(tagged && { "x-amz-tagging": "retention=temporary" }) };
    slots.set(id, { type, headers, at: now(), bytes: null });
    const at = {
      public_url: `${url}/cdn/${id}`,
      upload_url: `${url}/storage/${id}?X-Amz-Signature=0`,
      content_type: type,
    };
    return { json: { ...at, ...(tagged && { upload_headers: headers }) } };
  });

  emulator.route("store", "PUT", /^\/storage\/([\w-]+)$/, (asked) => {
    const slot = find(asked);
    if (!slot || now() > slot.at + HOUR_MS) return denied("AccessDenied");
    if (asked.headers.has("authorization")) return { ...denied("InvalidArgument"), status: 400 };
    const missing = Object.entries(slot.headers).some(([name, value]) => asked.headers.get(name) !== value);
    if (missing) return denied("SignatureDoesNotMatch");
    slot.bytes = asked.body;
    return { status: 200, body: "" };
  });

  emulator.route("stored", "GET", /^\/cdn\/([\w-]+)$/, (asked) => {
    const slot = find(asked);
    return slot?.bytes ? { headers: { "content-type": slot.type }, body: slot.bytes } : denied("NoSuchKey");
  });
};
