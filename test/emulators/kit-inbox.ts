import { Buffer } from "node:buffer";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** One webhook as it came over the wire. */
export type Received = { path: string; headers: Headers; body: Buffer };

/** A server that takes webhooks and keeps them, to stand for ours. `status` is what it answers, and can be changed. */
export const createInbox = async () => {
  const received: Received[] = [];
  const waiting: ((one: Received) => void)[] = [];
  const inbox = { status: 204 };
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
    const headers = new Headers(
      Object.entries(incoming.headers).map(([name, value]): [string, string] => [name, String(value)]),
    );
    const one = { path: incoming.url ?? "", headers, body: Buffer.concat(chunks) };
    outgoing.writeHead(inbox.status).end();
    received.push(one);
    waiting.shift()?.(one);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: received as readonly Received[],
    answerWith(status: number): void {
      inbox.status = status;
    },
    /** The next webhook that comes. */
    next: (): Promise<Received> => new Promise((resolve) => waiting.push(resolve)),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
