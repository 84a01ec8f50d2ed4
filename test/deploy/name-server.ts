import { createSocket } from "node:dgram";
import { isIPv4 } from "node:net";

const A = 1;
const ANSWER = 0x8180;
const NO_SUCH_NAME = 3;
const TTL_S = 600;

/** As Docker's own name server: it knows the containers that run now, and nothing else. */
export type NameServer = {
  port: number;
  /** Names and IPv4 addresses; change them as containers come and go. */
  addresses: Map<string, string>;
  close(): void;
};

/** The labels of the one question, and where it ends. */
const questionOf = (query: Buffer): { name: string; type: number; end: number } => {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join("."), type: query.readUInt16BE(at + 1), end: at + 5 };
};

const answerTo = (query: Buffer, addresses: ReadonlyMap<string, string>): Buffer => {
  const { name, type, end } = questionOf(query);
  const address = addresses.get(name);
  const found = address !== undefined && type === A;
  const head = Buffer.alloc(12);
  query.copy(head, 0, 0, 2);
  head.writeUInt16BE(ANSWER | (address === undefined ? NO_SUCH_NAME : 0), 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(found ? 1 : 0, 6);
  if (!found || !isIPv4(address)) return Buffer.concat([head, query.subarray(12, end)]);
  const record = Buffer.alloc(16);
  record.writeUInt16BE(0xc00c, 0);
  record.writeUInt16BE(A, 2);
  record.writeUInt16BE(1, 4);
  record.writeUInt32BE(TTL_S, 6);
  record.writeUInt16BE(4, 10);
  record.set(address.split(".").map(Number), 12);
  return Buffer.concat([head, query.subarray(12, end), record]);
};

/** Starts it on a free UDP port of 127.0.0.1. */
export const startNameServer = async (known: Record<string, string>): Promise<NameServer> => {
  const addresses = new Map(Object.entries(known));
  const socket = createSocket("udp4");
  socket.on("message", (query, from) => socket.send(answerTo(query, addresses), from.port, from.address));
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return { port: socket.address().port, addresses, close: () => socket.close() };
};
