import type { SocketRoute } from "../http/upgrades.ts";
import type { Clients } from "../streams/clients.ts";
import type { Messages } from "../streams/messages.ts";
import { createMultiplex, FRAMES, MOST_FRAME_BYTES, MOST_SUBSCRIPTIONS } from "../streams/multiplex.ts";
import type { SocketSession } from "../streams/session.ts";
import type { Clock } from "../ports.ts";
import type { Sources } from "./sources.ts";

/** `ws /ws`: any number of streams on one WebSocket. */
export const createLiveSocket = (deps: {
  clients: Clients;
  messages: Messages;
  clock: Clock;
  open: Sources;
  problemOf(error: unknown): Record<string, unknown>;
}): SocketRoute<SocketSession> => ({
  path: /^\/ws\/?$/,
  rule: "user",
  open: async (_found, principal) => {
    const { messages, hear } = createMultiplex({ ...deps, open: (stream) => deps.open(principal, stream) });
    const { userId, expiresAt } = principal;
    return deps.clients.socket(
      { userId, expiresAt, messages },
      { hear, frame: ({ event, json }) => (event === "auth" ? `{"type":"auth",${json.slice(1)}` : json) },
    );
  },
  description: {
    path: "/ws",
    tag: "live",
    summary: "Any number of streams on one WebSocket",
    description:
      'Send `{"type":"subscribe","id":"1","stream":"chat:<id>","after":14}`; each event comes with the subscription\'s `id` ' +
      "and the `cursor` to go on from. All frames are in [AsyncAPI](/asyncapi.json). At most " +
      `${MOST_SUBSCRIPTIONS} subscriptions, ${MOST_FRAME_BYTES} bytes a frame, ${FRAMES.most} frames at once and then ` +
      `${FRAMES.perSecond} a second (else it closes with 4029).`,
  },
});
