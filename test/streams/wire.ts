import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import { until } from "./until.ts";

/** A client on the bare TCP connection, so that it can stop reading: what a slow network looks like. */
export type Wire = {
  socket: Socket;
  /** Stops taking bytes from the network. */
  stop(): void;
  go(): void;
  /** All bytes after the head of the answer. */
  bytes(): Buffer;
  ended(): boolean;
};

export const openWire = async (port: number, path: string, headers: string[] = []): Promise<Wire> => {
  const socket = connect(port, "127.0.0.1");
  const chunks: Buffer[] = [];
  let ended = false;
  let length = 0;
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
  });
  socket.on("close", () => {
    ended = true;
  });
  socket.on("error", () => {});
  socket.write([`GET ${path} HTTP/1.1`, "host: localhost", ...headers, "", ""].join("\r\n"));
  await until(() => length > 0);
  return {
    socket,
    stop: () => void socket.pause(),
    go: () => void socket.resume(),
    bytes: () => {
      const all = Buffer.concat(chunks);
      return all.subarray(all.indexOf("\r\n\r\n") + 4);
    },
    ended: () => ended,
  };
};

/** Takes `transfer-encoding: chunked` off. */
export const dechunk = (bytes: Buffer): string => {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf("\r\n", at);
    const size = Number.parseInt(bytes.toString("latin1", at, end), 16);
    if (end < 0 || !(size > 0)) break;
    parts.push(bytes.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
  return Buffer.concat(parts).toString("utf8");
};

/** The texts of a server's unmasked, unfragmented frames. */
export const textFrames = (bytes: Buffer): string[] => {
  const texts: string[] = [];
  for (let at = 0; at + 2 <= bytes.length; ) {
    const opcode = bytes.readUInt8(at) & 0x0f;
    const short = bytes.readUInt8(at + 1);
    const start = at + (short === 127 ? 10 : short === 126 ? 4 : 2);
    if (start > bytes.length) break;
    const size =
      short === 127 ? Number(bytes.readBigUInt64BE(at + 2)) : short === 126 ? bytes.readUInt16BE(at + 2) : short;
    if (start + size > bytes.length) break;
    if (opcode === 1) texts.push(bytes.toString("utf8", start, start + size));
    at = start + size;
  }
  return texts;
};
