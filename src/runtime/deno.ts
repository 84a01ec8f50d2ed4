import { Buffer } from "node:buffer";
import { Problem } from "../errors.ts";
import type { Listening, ListenOptions, Served, SocketClient, SocketSession } from "../streams/session.ts";
import { bindError } from "./busy.ts";
import { limitBody } from "./limit.ts";
import { refuse } from "./refuse.ts";

const IDLE_S = 30;
/** What a request in flight may still take when the listener stops. */
const STOP_MS = 3000;
const MESSAGE_BYTES = 64 * 1024;
const BACKLOG_BYTES = 64 * 1024;
const DRAIN_POLL_MS = 50;

type Address = { hostname?: string; port?: number };

/** The part of Deno that is used here; its whole types do not go together with Bun's. */
type DenoServer = { addr: Address; finished: Promise<void>; shutdown(): Promise<void> };
type DenoNamespace = {
  serve(
    options: {
      hostname: string;
      port: number;
      signal: AbortSignal;
      onListen(): void;
      onError(error: unknown): Response;
    },
    handler: (request: Request, info: { remoteAddr: Address }) => Promise<Response>,
  ): DenoServer;
  upgradeWebSocket(request: Request, options: { idleTimeout: number }): { socket: WebSocket; response: Response };
};

/** Deno has no backpressure signal: a backlog above the limit counts as one, and is polled until it is gone. */
const attach = (socket: WebSocket, session: SocketSession): void => {
  let draining: ReturnType<typeof setInterval> | undefined;
  const settle = () => {
    if (socket.bufferedAmount > 0 && socket.readyState === socket.OPEN) return;
    clearInterval(draining);
    draining = undefined;
    if (socket.readyState === socket.OPEN) session.drain();
  };
  const client: SocketClient = {
    send: (text) => {
      if (socket.readyState !== socket.OPEN) return 0;
      socket.send(text);
      if (socket.bufferedAmount < BACKLOG_BYTES) return Buffer.byteLength(text);
      draining ??= setInterval(settle, DRAIN_POLL_MS);
      return -1;
    },
    close: (code, reason) => socket.close(code, reason),
    buffered: () => socket.bufferedAmount,
    ping: () => {},
  };
  socket.onopen = () => session.open(client);
  socket.onmessage = ({ data }) => {
    if (typeof data !== "string") socket.close(1003, "text only");
    else if (Buffer.byteLength(data) > MESSAGE_BYTES) socket.close(1009, "message too big");
    else session.message(data);
  };
  socket.onclose = () => {
    clearInterval(draining);
    session.close();
  };
};

/** Serves `app` with Deno. Rejects with a sentence for the operator when the port cannot be had. */
export const listen = async ({ host, port, maxBody }: ListenOptions, app: Served): Promise<Listening> => {
  const deno = (globalThis as unknown as { Deno: DenoNamespace }).Deno;
  const cut = new AbortController();
  const handle = async (request: Request, { remoteAddr }: { remoteAddr: Address }): Promise<Response> => {
    if (request.headers.get("upgrade")?.toLowerCase() === "websocket") {
      const decided = await app.socket(request);
      if (decided instanceof Response) return decided;
      try {
        const { socket, response } = deno.upgradeWebSocket(request, { idleTimeout: IDLE_S });
        attach(socket, decided);
        return response;
      } catch {
        decided.close();
        return refuse(request, new Problem("bad_request", "The WebSocket handshake is incomplete"));
      }
    }
    const limited = limitBody(request, maxBody);
    return limited instanceof Response ? limited : app.fetch(limited, { address: remoteAddr.hostname ?? "" });
  };
  let server: DenoServer;
  try {
    server = deno.serve(
      {
        hostname: host,
        port,
        signal: cut.signal,
        onListen: () => {},
        onError: () => new Response(null, { status: 500 }),
      },
      handle,
    );
  } catch (error) {
    throw bindError(error, host, port);
  }
  const stop = async () => {
    const patience = setTimeout(() => cut.abort(), STOP_MS);
    await server.shutdown().finally(() => clearTimeout(patience));
  };
  let stopping: Promise<void> | undefined;
  return { port: server.addr.port ?? port, stop: () => (stopping ??= stop()) };
};
