import { Buffer } from "node:buffer";
import { Readable } from "node:stream";
import sharp from "sharp";
import type { Reply } from "./kit.ts";

/** One file: its bytes, or a video padded to any size. */
export type Output = { mime: "image/png" | "video/mp4"; size?: number };

const CHUNK = Buffer.alloc(64 * 1024);

const box = (type: string, size: number) => {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(size, 0);
  head.write(type, 4, "latin1");
  return head;
};

/** An MP4 by its magic bytes: `ftyp`, then one `mdat` of zeros. `size` in bytes, at least 64. */
const movie = (size: number) => {
  const ftyp = Buffer.concat([box("ftyp", 24), Buffer.from("isom\0\0\x02\0isommp42", "latin1")]);
  return { head: Buffer.concat([ftyp, box("mdat", size - ftyp.length)]), rest: size - ftyp.length - 8 };
};

async function* zeros(count: number) {
  for (let left = count; left > 0; left -= CHUNK.length) yield left >= CHUNK.length ? CHUNK : CHUNK.subarray(0, left);
}

const colourOf = (name: string) => {
  const hash = [...name].reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) >>> 0, 7);
  return { r: hash & 255, g: (hash >> 8) & 255, b: (hash >> 16) & 255 };
};

const picture = (name: string) =>
  sharp({ create: { width: 64, height: 64, channels: 3, background: colourOf(name) } })
    .png()
    .toBuffer();

/** The files that runs have made, served below `/outputs/` on the emulator's own host. */
export const createOutputs = (origin: () => string) => {
  const files = new Map<string, Output>();
  const lost = new Map<string, Reply>();
  const nameOf = (url: string) =>
    decodeURIComponent(new URL(url, "http://localhost").pathname.replace(/^\/outputs\//, ""));

  return {
    /** Adds a file and says where it is. Names end in `.png` or `.mp4`. */
    add(name: string, output: Output = { mime: name.endsWith(".mp4") ? "video/mp4" : "image/png" }): string {
      files.set(name, output);
      return `${origin()}/outputs/${encodeURIComponent(name)}`;
    },
    /** From now on this URL answers with that status, as an expired link does. */
    expire(url: string, status: 403 | 404 | 410 = 404): void {
      lost.set(nameOf(url), { status, headers: { "content-type": "application/xml" }, body: "<Error/>" });
    },
    /** From now on this URL answers 200 without any bytes. */
    empty(url: string): void {
      lost.set(nameOf(url), { status: 200, headers: { "content-type": "image/png" }, body: "" });
    },
    async serve(path: string): Promise<Reply> {
      const name = nameOf(path);
      const output = files.get(name);
      const instead = lost.get(name) ?? (output ? null : { status: 404, body: "" });
      if (instead || !output) return instead ?? { status: 404 };
      if (output.mime === "image/png") {
        return { headers: { "content-type": output.mime }, body: await picture(name) };
      }
      const size = Math.max(64, output.size ?? 4096);
      const { head, rest } = movie(size);
      const headers = { "content-type": output.mime, "content-length": String(size) };
      const stream = async function* () {
        yield head;
        yield* zeros(rest);
      };
      return { headers, body: Readable.from(stream()) };
    },
  };
};
