import { Buffer } from "node:buffer";
import type { WebSocket } from "ws";
import type { SocketClient, SocketSession } from "../streams/session.ts";

const BACKLOG_BYTES = 64 * 1024;
/** Who answers no ping for so long is gone. */
const SILENT_MS = 60_000;

/** Lets a session speak on a WebSocket that is open. */
export const attach = (socket: WebSocket, session: SocketSession): void => {
  let heard = performance.now();
  let full = false;
  const hear = () => {
    heard = performance.now();
  };
  const sent = () => {
    if (!full || socket.bufferedAmount > 0) return;
    full = false;
    if (socket.readyState === socket.OPEN) session.drain();
  };
  const client: SocketClient = {
    send: (text) => {
      if (socket.readyState !== socket.OPEN) return 0;
      socket.send(text, sent);
      full ||= socket.bufferedAmount >= BACKLOG_BYTES;
      return full ? -1 : Buffer.byteLength(text);
    },
    close: (code, reason) => socket.close(code, reason),
    buffered: () => socket.bufferedAmount,
    ping: () => {
      if (performance.now() - heard > SILENT_MS) socket.terminate();
      else if (socket.readyState === socket.OPEN) socket.ping();
    },
  };
  socket.on("pong", hear);
  socket.on("message", (data, isBinary) => {
    hear();
    if (isBinary) socket.close(1003, "text only");
    else session.message(String(data));
  });
  // A frame that breaks the protocol or its limit; `ws` closes it with the code that says so.
  socket.on("error", () => {});
  socket.on("close", () => session.close());
  session.open(client);
};
