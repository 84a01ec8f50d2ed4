import { createHash, randomUUID } from "node:crypto";
import type { Asked, Emulator, Reply } from "./kit.ts";

/** A file as it was uploaded. The bytes themselves are only hashed. */
export type Upload = { name: string; mime: string; size: number; sha256: string | null; parts: number };

type Pending = Upload & { hash: ReturnType<typeof createHash> };

/** fal's file storage: `initiate`, a PUT to a URL that needs no key, and for large files parts and `complete`. */
export const addStorage = (emulator: Emulator) => {
  const files = new Map<string, Pending>();

  const initiate = ({ json, query }: Asked): Reply => {
    const { content_type: mime, file_name: name } = (json ?? {}) as Record<string, unknown>;
    if (typeof mime !== "string" || typeof name !== "string" || query.get("storage_type") !== "fal-cdn-v3") {
      return { status: 422, json: { detail: "content_type, file_name and storage_type=fal-cdn-v3 are required" } };
    }
    const id = randomUUID();
    files.set(id, { name, mime, size: 0, sha256: null, parts: 0, hash: createHash("sha256") });
    const { url } = emulator;
    return { json: { upload_url: `${url}/upload/${id}?signature=s`, file_url: `${url}/files/${id}/${name}` } };
  };

  const find = ({ captured, query }: Asked): Pending | null =>
    query.get("signature") === "s" ? (files.get(captured[0] ?? "") ?? null) : null;

  const take = (file: Pending, { body }: Asked) => {
    file.hash.update(body);
    file.size += body.length;
    file.parts += 1;
  };

  emulator.route("upload_initiate", "POST", /^\/storage\/upload\/initiate(?:-multipart)?$/, initiate);
  emulator.route("upload", "PUT", /^\/upload\/([\w-]+)$/, (asked) => {
    const file = find(asked);
    if (!file) return { status: 403, body: "" };
    take(file, asked);
    file.sha256 = file.hash.digest("hex");
    return { body: "" };
  });
  emulator.route("upload", "PUT", /^\/upload\/([\w-]+)\/(\d+)$/, (asked) => {
    const file = find(asked);
    if (!file || Number(asked.captured[1]) !== file.parts + 1) return { status: 403, body: "" };
    take(file, asked);
    return { json: { partNumber: file.parts, etag: `"${file.parts}-${file.size}"` } };
  });
  emulator.route("upload", "POST", /^\/upload\/([\w-]+)\/complete$/, (asked) => {
    const file = find(asked);
    const { parts } = (asked.json ?? {}) as { parts?: { partNumber: number; etag: string }[] };
    if (!file || parts?.length !== file.parts) return { status: 400, json: { detail: "parts are missing" } };
    file.sha256 = file.hash.digest("hex");
    return { json: { ok: true } };
  });

  return {
    /** The upload whose `file_url` this is; its `sha256` is null until it is complete. */
    find: (fileUrl: string): Upload | null => {
      const file = files.get(/\/files\/([\w-]+)\//.exec(fileUrl)?.[1] ?? "");
      return file
        ? { name: file.name, mime: file.mime, size: file.size, sha256: file.sha256, parts: file.parts }
        : null;
    },
  };
};
