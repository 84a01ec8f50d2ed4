import { type TSchema, Type } from "@sinclair/typebox";
import type { Fact } from "../ports.ts";

/** A schema that stands once in the document, under this name. */
export type Named = { name: string; schema: TSchema };

/** What a slice says of one type of fact. */
export type FactDescription = {
  type: string;
  summary: string;
  /** Its data as it is kept, and published on NATS; `more`: what this type has besides. */
  kept: Named & { more?: TSchema };
  /** Its data as clients get it; absent: no stream of theirs carries it. */
  shown?: Named;
  /** What is left of its data, kept and shown, when its actor was erased from a stream that goes on. */
  left?: Named;
  example?: Fact;
};

/** What clients get beside the facts: no id, not in the log. */
export type AsideDescription = { event: string; summary: string; schema: TSchema };

/** What a slice says of one of its live streams. */
export type StreamDescription = {
  name: string;
  /** The path, as in OpenAPI. */
  address: string;
  transport: "sse" | "websocket";
  summary: string;
  parameters: Record<string, string>;
  /** Kinds of actors whose facts it carries. */
  kinds: readonly string[];
  /** Events of other kinds that end it. */
  ends?: readonly string[];
  aside: readonly AsideDescription[];
  /** What comes with a reset and, if it `greets`, first to who has no cursor. */
  snapshot: { schema: TSchema; greets: boolean };
};

/** A WebSocket on which clients speak, too. */
export type DialogueDescription = {
  name: string;
  address: string;
  summary: string;
  /** What clients send. */
  hears: readonly AsideDescription[];
  /** What clients get. */
  tells: readonly AsideDescription[];
};

/** A snapshot with the cursor to go on from. */
export const Cursored = (data: TSchema) =>
  Type.Object({ cursor: Type.Integer({ description: "seq of its stream at this moment" }), data });
