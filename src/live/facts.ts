import { type DialogueDescription, Cursored, type StreamDescription } from "../streams/describe.ts";
import { CLIENT_FRAMES, SERVER_FRAMES } from "../streams/words.ts";
import { Overview } from "./words.ts";

/** All that a user owns. */
export const meStreamDescription: StreamDescription = {
  name: "myEvents",
  address: "/streams/me",
  transport: "sse",
  summary: "All that one owns, live; the cursor is `ownersequence`",
  parameters: {},
  kinds: ["chat", "message", "option", "job", "batch", "attachment"],
  aside: [],
  snapshot: { schema: Cursored(Overview), greets: true },
};

/** Any number of streams on one WebSocket. */
export const liveDialogue: DialogueDescription = {
  name: "live",
  address: "/ws",
  summary: "Any number of streams on one WebSocket, each with its own cursor",
  hears: [
    { event: "subscribe", summary: "Follow a stream", schema: CLIENT_FRAMES.subscribe },
    { event: "unsubscribe", summary: "No more of it", schema: CLIENT_FRAMES.unsubscribe },
    { event: "ack", summary: "Everything up to this cursor was taken", schema: CLIENT_FRAMES.ack },
    { event: "ping", summary: "Is anybody there?", schema: CLIENT_FRAMES.ping },
  ],
  tells: [
    { event: "subscribed", summary: "It is followed from this cursor on", schema: SERVER_FRAMES.subscribed },
    { event: "snapshot", summary: "First, without `after`: the whole", schema: SERVER_FRAMES.snapshot },
    { event: "event", summary: "What happened, in the envelope that all streams have", schema: SERVER_FRAMES.event },
    { event: "reset", summary: "The cursor was of no use: the whole as it is now", schema: SERVER_FRAMES.reset },
    { event: "unsubscribed", summary: "Nothing more comes of it", schema: SERVER_FRAMES.unsubscribed },
    { event: "error", summary: "A frame was refused, or a subscription failed", schema: SERVER_FRAMES.error },
    { event: "pong", summary: "Yes", schema: SERVER_FRAMES.pong },
    { event: "auth", summary: "The token has expired; it closes with 4001", schema: SERVER_FRAMES.auth },
  ],
};
