import { type Static, Type } from "@sinclair/typebox";
import { isPassing } from "../db/passing.ts";
import type { Log } from "../log.ts";
import type { Fact } from "../ports.ts";

/** What clients get for every fact, on SSE and WebSocket alike: CloudEvents 1.0, structured JSON. */
export const Envelope = Type.Object({
  specversion: Type.Literal("1.0"),
  id: Type.String({ description: "unique per event" }),
  source: Type.String(),
  type: Type.String({ description: "darkroom.<actor>.<past tense>, e.g. darkroom.job.succeeded" }),
  subject: Type.String({ description: "id of the actor or row" }),
  time: Type.String({ format: "date-time" }),
  datacontenttype: Type.Literal("application/json"),
  sequence: Type.String({ description: "seq in its stream: the cursor to resume from" }),
  ownersequence: Type.String({ description: "seq in all that its owner owns: the cursor of the feed of that" }),
  stream: Type.String(),
  traceparent: Type.Optional(Type.String({ description: "W3C trace context of the request that caused it" })),
  data: Type.Record(Type.String(), Type.Unknown()),
});
export type Envelope = Static<typeof Envelope>;

/** The same for what is not in the log: it has no place in the stream, and nobody resumes from it. */
export const Aside = Type.Omit(Envelope, ["sequence", "ownersequence", "traceparent"]);
export type Aside = Static<typeof Aside>;

/** One fact with its data as people outside get it. What has no `seq` is not in the log. */
export const envelopeOf = (
  fact: Pick<Fact, "id" | "type" | "actorId" | "at" | "stream" | "traceparent"> & {
    seq: number | null;
    ownerSeq: number | null;
  },
  source: string,
  data: Record<string, unknown>,
): Omit<Envelope, "sequence" | "ownersequence"> & { sequence?: string; ownersequence?: string } => ({
  specversion: "1.0",
  id: fact.id,
  source,
  type: `darkroom.${fact.type}`,
  subject: fact.actorId,
  time: new Date(fact.at).toISOString(),
  datacontenttype: "application/json",
  ...(fact.seq === null ? {} : { sequence: String(fact.seq) }),
  ...(fact.ownerSeq === null ? {} : { ownersequence: String(fact.ownerSeq) }),
  stream: fact.stream,
  ...(fact.traceparent === null ? {} : { traceparent: fact.traceparent }),
  data,
});

/** Kinds whose facts all go out under one SSE name, as the first service's clients expect. */
const UPDATES = new Set(["job", "batch", "attachment", "chat"]);

/** `job.succeeded` → `job.updated`; `message.created` stays. */
export const eventName = (factType: string): string => {
  const [kind = ""] = factType.split(".");
  return UPDATES.has(kind) && !factType.endsWith(".deleted") ? `${kind}.updated` : factType;
};

/** Renders a fact's data for people outside: signs URLs, turns instants into ISO 8601. */
export type Render = (fact: Fact) => Promise<Record<string, unknown>>;

export type Rendered = { event: string; json: string };

/**
 * Renders and serialises each fact once for all who watch it: the tail hands every client the same
 * object, which is the key here. One that cannot be rendered goes out without data: whoever follows the stream
 * must get past it. Rejects when it may be rendered later, e.g. when the database is away: who follows comes back for it.
 */
export const createEnvelopes = ({ render, source, log }: { render: Render; source: string; log: Log }) => {
  const made = new WeakMap<Fact, Promise<Rendered>>();
  const dataOf = async (fact: Fact): Promise<Record<string, unknown>> => {
    try {
      const data = await render(fact);
      if (typeof data === "object" && data !== null) return data;
      throw new Error("its data is no object");
    } catch (error) {
      if (isPassing(error)) throw error;
      log.error({ err: error, stream: fact.stream, seq: fact.seq }, "a fact cannot be rendered");
    }
    return {};
  };
  const make = async (fact: Fact): Promise<Rendered> => {
    const envelope = envelopeOf(fact, source, await dataOf(fact));
    return { event: eventName(fact.type), json: JSON.stringify(envelope) };
  };
  return (fact: Fact): Promise<Rendered> => {
    const known = made.get(fact) ?? make(fact);
    made.set(fact, known);
    known.catch(() => made.delete(fact));
    return known;
  };
};
export type Envelopes = ReturnType<typeof createEnvelopes>;
