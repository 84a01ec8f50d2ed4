import type { Buffer } from "node:buffer";
import { once } from "node:events";
import { type IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { WebSocketServer } from "ws";
import { Problem } from "../errors.ts";
import type { Served } from "../streams/session.ts";
import { answer } from "./deno-messages.ts";
import { attach } from "./deno-socket.ts";
import { refuse } from "./refuse.ts";

/** Clients send a cursor or a ping, never more. */
const MESSAGE_BYTES = 64 * 1024;

/** Makes WebSockets of the connections that ask for it and whom `app` lets in; the others get its answer. */
export const createUpgrades = (app: Served) => {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MESSAGE_BYTES, perMessageDeflate: false });
  // Answered below, as a problem like any other.
  sockets.on("wsClientError", () => {});

  const upgrade = async (incoming: IncomingMessage, socket: Socket, head: Buffer) => {
    const outgoing = new ServerResponse(incoming);
    outgoing.shouldKeepAlive = false;
    outgoing.assignSocket(socket);
    outgoing.once("finish", () => socket.end());
    await answer(incoming, outgoing, async (request) => {
      const decided = await app.socket(request);
      if (decided instanceof Response) return decided;
      outgoing.detachSocket(socket);
      let open = false;
      sockets.handleUpgrade(incoming, socket, head, (opened) => {
        open = true;
        attach(opened, decided);
      });
      if (open) return null;
      decided.close();
      outgoing.assignSocket(socket);
      return refuse(request, new Problem("bad_request", "The WebSocket handshake is incomplete"));
    });
  };

  return {
    upgrade: (incoming: IncomingMessage, socket: Socket, head: Buffer): void => {
      socket.on("error", () => socket.destroy());
      upgrade(incoming, socket, head).catch(() => socket.destroy());
    },
    /** Lets nobody in any more. Resolves when all have left. */
    close: async (): Promise<void> => {
      const closed = once(sockets, "close");
      sockets.close();
      await closed;
    },
    /** Hangs up on all. */
    cut: () => {
      for (const socket of sockets.clients) socket.terminate();
    },
  };
};
