import { Buffer } from "node:buffer";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { Webhook } from "standardwebhooks";
import type { Envelope } from "../../src/streams/envelope.ts";

/** One webhook as it came in. `event` is null when its signature is not good. */
export type Received = {
  path: string;
  id: string;
  headers: Record<string, string>;
  body: string;
  event: Envelope | null;
};
/** Answers, or does not. */
export type Behaviour = (response: ServerResponse, received: Received, nth: number) => void;

const ok: Behaviour = (response) => void response.writeHead(204).end();

/** A user's receiver on a real socket: it judges signatures by the reference library, and answers as it is told to. */
export const openReceiver = async () => {
  const secrets: string[] = [];
  const all: Received[] = [];
  const sockets = new Set<Socket>();
  let behaviour: Behaviour = ok;
  let open = 0;
  let most = 0;

  const judge = (body: string, headers: Record<string, string>): Envelope | null => {
    for (const secret of secrets) {
      try {
        return new Webhook(secret).verify(body, headers) as Envelope;
      } catch {}
    }
    return null;
  };
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    most = Math.max(most, ++open);
    response.on("close", () => open--);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const event = judge(body, headers);
    const received = { path: request.url ?? "", id: headers["webhook-id"] ?? "", headers, body, event };
    all.push(received);
    behaviour(response, received, all.length);
  };
  const server = createServer((request, response) => {
    take(request, response).catch(() => response.destroy());
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url,
    /** Everything so far, in the order of arrival. */
    all: all as readonly Received[],
    /** Their types, without the prefix. */
    types: () => all.map(({ event }) => event?.type.replace("darkroom.", "") ?? "unsigned"),
    /** How many were open at once, at most. */
    most: () => most,
    open: () => open,
    /** Signatures of this secret are good from now on. */
    trust: (secret: string) => secrets.push(secret),
    answer: (next: Behaviour) => {
      behaviour = next;
    },
    accept: () => {
      behaviour = ok;
    },
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
};
export type Receiver = Awaited<ReturnType<typeof openReceiver>>;
