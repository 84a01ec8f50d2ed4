import { type Static, Type } from "@sinclair/typebox";
import { nullable } from "./job.words.ts";
import { Stamp } from "./stamp.ts";

/** What is delivered: a fact of the log, by its place there, or a test, which is in no log. */
export const Delivered = Type.Object({
  id: Type.String({ description: "id of the event: the receiver's `webhook-id`, the same each time" }),
  type: Type.String({ description: "e.g. job.succeeded" }),
  stream: Type.String(),
  seq: nullable(Type.Integer({ description: "its place in that stream; null: a test" })),
});
export type Delivered = Static<typeof Delivered>;

/** One try, as it ended. */
export const Try = Type.Object({
  at: Type.Number({ description: "when it was sent, ms since the epoch" }),
  ms: Type.Number({ description: "how long it took" }),
  status: nullable(Type.Integer({ description: "of the receiver's answer" })),
  code: nullable(Type.String({ description: "why there was none" })),
  response: nullable(Type.String({ description: "the beginning of the answer's body" })),
});
export type Try = Static<typeof Try>;

export const DeliveryCommand = Type.Union([
  Type.Composite([Type.Object({ type: Type.Literal("start", { description: "it is its turn" }) }), Stamp]),
  Type.Composite([
    Type.Object({
      type: Type.Literal("answered"),
      n: Type.Integer({ description: "which start" }),
      ms: Type.Number(),
      status: Type.Integer(),
      response: Type.String(),
      afterMs: Type.Number({ description: "the receiver wants to be left alone for so long" }),
    }),
    Stamp,
  ]),
  Type.Composite([
    Type.Object({ type: Type.Literal("unanswered"), n: Type.Integer(), ms: Type.Number(), code: Type.String() }),
    Stamp,
  ]),
  Type.Composite([Type.Object({ type: Type.Literal("notSent"), n: Type.Integer() }), Stamp]),
  Type.Composite([
    Type.Object({ type: Type.Literal("dropped", { description: "there is nothing to send" }), code: Type.String() }),
    Stamp,
  ]),
  Type.Composite([
    Type.Object({ type: Type.Literal("redeliver", { description: "somebody does not want to wait" }) }),
    Stamp,
  ]),
]);
export type DeliveryCommand = Static<typeof DeliveryCommand>;

export const DeliveryInput = Type.Object({
  event: Delivered,
  redeliveryOf: nullable(Type.String({ description: "id of the delivery that had ended" })),
});
export type DeliveryInput = Static<typeof DeliveryInput>;

export type DeliveryFact = "delivery.failed";

export const DeliveryStatus = Type.Union([
  Type.Literal("PENDING"),
  Type.Literal("RETRYING"),
  Type.Literal("SUCCEEDED"),
  Type.Literal("FAILED"),
  Type.Literal("CANCELED"),
]);
export type DeliveryStatus = Static<typeof DeliveryStatus>;

/** What the world may know of a delivery; instants in ms. */
export const DeliveryView = Type.Object({
  status: DeliveryStatus,
  state: Type.String({ description: "pending · sending · waiting · succeeded · failed · canceled" }),
  event: Delivered,
  redelivery_of: nullable(Type.String()),
  tries: Type.Integer({ description: "so far" }),
  response_status: nullable(Type.Integer({ description: "of the last try" })),
  error: nullable(Type.String({ description: "why it was given up: gone · exhausted · erased · too_large" })),
  created_at: Type.Number(),
  next_try_at: nullable(Type.Number()),
  finished_at: nullable(Type.Number()),
});
export type DeliveryView = Static<typeof DeliveryView>;
