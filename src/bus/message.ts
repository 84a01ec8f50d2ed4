import { Type } from "@sinclair/typebox";
import { headers, type MsgHdrs } from "nats";
import type { Fact } from "../ports.ts";
import { parseSubject } from "./subjects.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The headers of a message. Every value is a text. */
export const FactHeaders = Type.Object({
  "Nats-Msg-Id": Type.String({ description: "<stream>:<seq>: JetStream stores it once within its window" }),
  "ce-specversion": Type.Literal("1.0"),
  "ce-id": Type.String({ format: "uuid", description: "unique per fact" }),
  "ce-source": Type.String({ format: "uri", description: "PUBLIC_URL of the nodes" }),
  "ce-type": Type.String({ description: "darkroom.<actor>.<past tense>" }),
  "ce-subject": Type.String({ description: "id of the actor or row" }),
  "ce-time": Type.String({ format: "date-time" }),
  "ce-stream": Type.String({ description: "the chat, else the batch, else the job or upload itself" }),
  "ce-sequence": Type.String({ pattern: "^[1-9][0-9]*$", description: "place in its stream, without gaps" }),
  "ce-ownersequence": Type.String({ pattern: "^[1-9][0-9]*$", description: "place in all that its owner owns" }),
  "content-type": Type.Literal("application/json"),
  "ce-traceparent": Type.Optional(Type.String({ description: "W3C trace context of the request that caused it" })),
  traceparent: Type.Optional(Type.String({ description: "the same, where tracing looks for it" })),
});

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
