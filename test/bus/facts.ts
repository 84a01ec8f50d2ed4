import { v7 } from "uuid";
import type { Fact } from "../../src/ports.ts";

const OWNER = v7();

/** Facts as they would come from the log, without one. */
export const factsOf = (stream: string, from: number, to: number): Fact[] =>
  Array.from({ length: to - from + 1 }, (_, n) => ({
    id: v7(),
    stream,
    seq: from + n,
    owner: OWNER,
    ownerSeq: from + n,
    type: "message.created",
    at: Date.UTC(2026, 0, 1) + n,
    actorKind: "message",
    actorId: v7(),
    data: { text: `number ${from + n}` },
    traceparent: null,
  }));
