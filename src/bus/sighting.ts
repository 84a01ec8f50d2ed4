import { Type } from "@sinclair/typebox";
import type { Sighting } from "../ports.ts";
import { type Encoded, encodeEvent, FactHeaders } from "./message.ts";

const node = Type.String({ format: "uuid", description: "of the process: another one after a restart" });

/** The data of `darkroom.node.seen`. */
export const NodeSeen = Type.Object({
  machine: Type.Literal("node"),
  node,
  provider: Type.Null(),
  state: Type.String({ description: "starting, ready, draining.leaving, draining.finishing or stopped" }),
  context: Type.Object({}),
});

/** The data of `darkroom.breaker.seen`. */
export const BreakerSeen = Type.Object({
  machine: Type.Literal("breaker"),
  node,
  provider: Type.String(),
  state: Type.String({ description: "closed, open or halfOpen" }),
  context: Type.Object({
    submits: Type.Integer({ description: "in a row that failed" }),
    checks: Type.Integer({ description: "the same of polls" }),
    trips: Type.Integer({ description: "how often it opened since it was last closed" }),
  }),
});

/** The headers of both. */
export const SeenHeaders = Type.Pick(FactHeaders, [
  "ce-specversion",
  "ce-id",
  "ce-source",
  "ce-type",
  "ce-subject",
  "ce-time",
  "content-type",
]);

/** A snapshot as a message: CloudEvents 1.0 in binary mode. */
export const encodeSighting = ({ id, at, ...seen }: Sighting, source: string): Encoded => {
  const { machine, node: subject } = seen;
  return encodeEvent({ id, source, type: `${machine}.seen`, subject: seen.provider ?? subject, at }, seen);
};
