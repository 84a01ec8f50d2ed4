import { headers, type MsgHdrs } from "nats";
import type { Fact } from "../ports.ts";
import { parseSubject } from "./subjects.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * CloudEvents 1.0 in binary mode: attributes as `ce-*` headers, the data as JSON. The trace stands twice: as the
 * extension of CloudEvents, and where a client's tracing looks for it.
 */
export const encodeFact = (fact: Fact, source: string): { data: Uint8Array; headers: MsgHdrs } => {
  const attributes = headers();
  const set = (name: string, value: string | number) => attributes.set(name, String(value));
  set("ce-specversion", "1.0");
  set("ce-id", fact.id);
  set("ce-source", source);
  set("ce-type", `darkroom.${fact.type}`);
  set("ce-subject", fact.actorId);
  set("ce-time", new Date(fact.at).toISOString());
  set("ce-stream", fact.stream);
  set("ce-sequence", fact.seq);
  set("ce-ownersequence", fact.ownerSeq);
  set("content-type", "application/json");
  if (fact.traceparent !== null) {
    set("ce-traceparent", fact.traceparent);
    set("traceparent", fact.traceparent);
  }
  return { data: encoder.encode(JSON.stringify(fact.data)), headers: attributes };
};

/** The fact in a message, or null when the message is not one of ours. Throws when its data is not JSON. */
export const decodeFact = (subject: string, attributes: MsgHdrs | undefined, data: Uint8Array): Fact | null => {
  const parsed = parseSubject(subject);
  if (!parsed || !attributes) return null;
  const { stream, owner, actorKind, actorId } = parsed;
  const id = attributes.get("ce-id");
  const [, type = ""] = /^darkroom\.(.+)$/.exec(attributes.get("ce-type")) ?? [];
  const seq = Number(attributes.get("ce-sequence"));
  const ownerSeq = Number(attributes.get("ce-ownersequence"));
  const at = Date.parse(attributes.get("ce-time"));
  const numbered = [seq, ownerSeq].every((n) => Number.isSafeInteger(n) && n > 0);
  if (id === "" || type === "" || !numbered || Number.isNaN(at)) return null;
  const traceparent = attributes.get("ce-traceparent") || null;
  const body = JSON.parse(decoder.decode(data));
  return { id, stream, seq, owner, ownerSeq, type, at, actorKind, actorId, data: body, traceparent };
};

/** Deduplicates republished facts: the same for every publish of one fact. */
export const messageId = (fact: Pick<Fact, "stream" | "seq">): string => `${fact.stream}:${fact.seq}`;
