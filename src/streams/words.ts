/** The dialogue of the one WebSocket that carries any number of streams: a frame is one JSON object. */
import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { Aside, Envelope } from "./envelope.ts";

const UUID = "[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}";

/** `chat:<id>`, `job:<id>`, `batch:<id>`, or `me`: all that one owns. */
export const StreamName = Type.String({
  pattern: `^(?:me|(?:chat|job|batch):${UUID})$`,
  description: "`chat:<id>`, `job:<id>`, `batch:<id>`, or `me`: all that one owns",
  error: "Must be chat:<id>, job:<id>, batch:<id> or me",
});

const id = Type.String({ minLength: 1, maxLength: 64, description: "the client's own name for the subscription" });
const cursor = Type.Integer({ minimum: 0, description: "to go on from, as `after` or by the stream's own GET" });
const of = <T extends string, P extends Record<string, TSchema>>(type: T, fields: P) =>
  Type.Object({ type: Type.Literal(type), ...fields });

export const Subscribe = of("subscribe", {
  id,
  stream: StreamName,
  after: Type.Optional(
    Type.Integer({ minimum: 0, description: "cursor of the last event seen; 0 for all; absent: a snapshot, then on" }),
  ),
  ack: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1000, description: "how many events may be out that are not acknowledged" }),
  ),
});
export type Subscribe = Static<typeof Subscribe>;

/** What clients send, by `type`. */
export const CLIENT_FRAMES = {
  subscribe: Subscribe,
  unsubscribe: of("unsubscribe", { id }),
  ack: of("ack", { id, cursor: Type.Integer({ minimum: 0, description: "of the latest event that was taken" }) }),
  ping: of("ping", {}),
};
export type ClientFrame = {
  [T in keyof typeof CLIENT_FRAMES]: Static<(typeof CLIENT_FRAMES)[T]>;
}[keyof typeof CLIENT_FRAMES];

const Whole = Type.Unknown({ description: "the whole of it as its own GET shows it" });

/** What clients get, by `type`. */
export const SERVER_FRAMES = {
  subscribed: of("subscribed", { id, cursor }),
  snapshot: of("snapshot", { id, cursor, data: Whole }),
  event: of("event", {
    id,
    cursor: Type.Optional(Type.Integer({ description: "absent for what is not in the log" })),
    event: Type.String({ description: "its name on server-sent events, e.g. job.updated" }),
    data: Type.Union([Envelope, Aside]),
  }),
  reset: of("reset", { id, cursor, data: Whole }),
  unsubscribed: of("unsubscribed", {
    id,
    cursor: Type.Optional(Type.Integer({ minimum: 0, description: "where to go on; absent: it had not begun" })),
    reason: Type.Union([Type.Literal("asked"), Type.Literal("complete"), Type.Literal("failed")], {
      description: "complete: nothing will follow; failed: an `error` says why",
    }),
  }),
  error: of("error", {
    id: Type.Optional(Type.String({ description: "of the frame, or of the subscription that failed" })),
    problem: Type.Record(Type.String(), Type.Unknown(), { description: "an RFC 9457 problem document" }),
  }),
  pong: of("pong", {}),
  auth: of("auth", { reason: Type.Literal("token_expired") }),
};
export type ServerFrame = {
  [T in keyof typeof SERVER_FRAMES]: Static<(typeof SERVER_FRAMES)[T]>;
}[keyof typeof SERVER_FRAMES];
