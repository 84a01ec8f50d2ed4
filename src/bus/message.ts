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

export type Encoded = { data: Uint8Array; headers: MsgHdrs };

/** What every message of ours says of itself. `type` without our prefix; `at` in ms since the epoch. */
export type About = { id: string; source: string; type: string; subject: string; at: number };

/** CloudEvents 1.0 in binary mode: attributes, also extensions, as `ce-*` headers, the data as JSON. */
export const encodeEvent = (about: About, data: object, extensions: Record<string, string | number> = {}): Encoded => {
  const written = headers();
  const set = (name: string, value: string | number) => written.set(`ce-${name}`, String(value));
  set("specversion", "1.0");
  set("id", about.id);
  set("source", about.source);
  set("type", `darkroom.${about.type}`);
  set("subject", about.subject);
  set("time", new Date(about.at).toISOString());
  for (const [name, value] of Object.entries(extensions)) set(name, value);
  written.set("content-type", "application/json");
  return { data: encoder.encode(JSON.stringify(data)), headers: written };
};

/** The trace stands twice: as the extension of CloudEvents, and where a client's tracing looks for it. */
export const encodeFact = (fact: Fact, source: string): Encoded => {
  const { id, type, actorId: subject, at, stream, seq: sequence, ownerSeq: ownersequence, traceparent } = fact;
  const extensions = { stream, sequence, ownersequence, ...(traceparent === null ? {} : { traceparent }) };
  const encoded = encodeEvent({ id, source, type, subject, at }, fact.data, extensions);
  if (traceparent !== null) encoded.headers.set("traceparent", traceparent);
  return encoded;
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
