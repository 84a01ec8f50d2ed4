import { Problem } from "../errors.ts";
import type { Listening, ListenOptions, Served, SocketClient } from "../streams/session.ts";
import { type BunServer, type BunSocket, bun } from "./bun-server.ts";
import { bindError } from "./busy.ts";
import { limitBody } from "./limit.ts";
import { refuse } from "./refuse.ts";

const IDLE_S = 30;
/** Longer than anybody may prefer to wait for an answer. */
const WAIT_S = 75;
const SOCKET_IDLE_S = 60;
/** What a request in flight may still take when the listener stops. */
const STOP_MS = 3000;
/** Clients send a cursor or a ping, never more. */
const MESSAGE_BYTES = 64 * 1024;
/** Bun's own bound only saves it from us: `limitBody` answers first, and with a proper problem. */
const SLACK_BYTES = 1024 * 1024;
const BACKLOG_BYTES = 1024 * 1024;

const clientOf = (socket: BunSocket): SocketClient => ({
  send: (text) => socket.sendText(text),
  close: (code, reason) => socket.close(code, reason),
  buffered: () => socket.getBufferedAmount(),
  ping: () => void socket.ping(),
});

/** Serves `app` with Bun. Rejects with a sentence for the operator when the port cannot be had. */
export const listen = async ({ host, port, maxBody }: ListenOptions, app: Served): Promise<Listening> => {
  const serve = () =>
    bun().serve({
      hostname: host,
      port,
      // Two servers on one port would share its traffic without a word.
      reusePort: false,
      idleTimeout: IDLE_S,
      maxRequestBodySize: maxBody + SLACK_BYTES,
      development: false,
      fetch: async (request, server) => {
        if (request.headers.get("upgrade")?.toLowerCase() === "websocket") {
          const decided = await app.socket(request);
          if (decided instanceof Response) return decided;
          if (server.upgrade(request, { data: { session: decided } })) return undefined;
          decided.close();
          return refuse(request, new Problem("bad_request", "The WebSocket handshake is incomplete"));
        }
        const limited = limitBody(request, maxBody);
        if (limited instanceof Response) return limited;
        if (request.headers.has("prefer")) server.timeout(request, WAIT_S);
        const response = await app.fetch(limited, { address: server.requestIP(request)?.address ?? "" });
        if (response.headers.get("content-type")?.startsWith("text/event-stream")) server.timeout(request, 0);
        return response;
      },
      error: () => new Response(null, { status: 500 }),
      websocket: {
        maxPayloadLength: MESSAGE_BYTES,
        backpressureLimit: BACKLOG_BYTES,
        idleTimeout: SOCKET_IDLE_S,
        open: (socket) => socket.data.session.open(clientOf(socket)),
        message: (socket, message) => {
          if (typeof message === "string") socket.data.session.message(message);
          else socket.close(1003, "text only");
        },
        drain: (socket) => socket.data.session.drain(),
        close: (socket) => socket.data.session.close(),
        error: (_error, socket) => socket.close(1011, "internal error"),
      },
    });
  let server: BunServer;
  try {
    server = serve();
  } catch (error) {
    throw bindError(error, host, port);
  }
  const stop = async () => {
    const patience = setTimeout(() => void server.stop(true), STOP_MS);
    await server.stop().finally(() => clearTimeout(patience));
  };
  let stopping: Promise<void> | undefined;
  return { port: server.port ?? port, stop: () => (stopping ??= stop()) };
};
