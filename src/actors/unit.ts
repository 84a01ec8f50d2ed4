import type { ActorKind } from "../../machines/registry.ts";
import type { Effect, MachineEvent, Report, Snapshot } from "../../machines/step.ts";

/** Who an actor belongs to and where its facts go; fixed at its creation. */
export type Identity = {
  id: string;
  kind: ActorKind;
  owner: string;
  stream: string;
  /** Provider account whose slots it uses, for jobs. */
  account: string | null;
  /** Merged into the data of its facts: ids that its readers need beside its own view. */
  labels: Record<string, string | null>;
  /** W3C trace context of the request that made it; null when none did. */
  traceparent: string | null;
};

/** An inbox row's key. */
export type Letter = { source: string; source_version: number; n: number };

/** One step of one actor, as it is to be committed. */
export type ActorChange = Identity & {
  /** The version that must be found; 0 creates the actor. */
  expect: number;
  machineVersion: number;
  snapshot: Snapshot;
  state: string;
  fromState: string | null;
  status: string | null;
  wakeAt: number | null;
  done: boolean;
  /** Why it is taken out of service, if it is. */
  parkedReason: string | null;
  at: number;
  event: string;
  folded: string[];
  /** The code or words that its last event came with. */
  reason: string | null;
  effects: Effect[];
  facts: { id: string; type: string; data: Record<string, unknown>; traceparent: string | null }[];
  drains: Letter[];
  tells: { to: string; event: MachineEvent }[];
  /** Change in provider slots and in the queue of its owner. */
  slots: -1 | 0 | 1;
  turns: -1 | 0 | 1;
  /** What was learned of the provider account. */
  report: Report | null;
};

export type Row = Record<string, unknown>;

/** A fact that a slice appends itself, e.g. `message.created`. */
export type SliceFact = {
  id: string;
  stream: string;
  owner: string;
  type: string;
  at: number;
  actorKind: string;
  actorId: string;
  data: Record<string, unknown>;
};

/** Rows of the slices, by table. Columns as in `sql/`; instants as ISO 8601. */
export type Rows = Partial<
  Record<
    | "users"
    | "user_changes"
    | "chats"
    | "chat_changes"
    | "messages"
    | "options"
    | "batches"
    | "jobs"
    | "attachments"
    | "outputs"
    | "endpoints"
    | "endpoint_changes"
    | "endpoint_cursors"
    | "endpoint_tries"
    | "tombstones",
    Row[]
  >
>;

/** A row that must not have been deleted; `user`: nor, unlike the others, need be there already. */
export type Live = { kind: "user" | "chat" | "batch" | "job" | "attachment" | "endpoint"; id: string };

export type Idempotency = {
  userId: string;
  route: string;
  key: string;
  bodyHash: string;
  /** What a replay answers. */
  status: number;
  answer: unknown;
};

/** All that one request or command changes: committed whole or not at all, alone or in a group. */
export type Unit = {
  id: string;
  /** W3C trace context of the request that it is for; its slices' facts carry it. */
  traceparent: string | null;
  actors: ActorChange[];
  facts: SliceFact[];
  rows: Rows;
  /** What it deletes, changes or creates something under. */
  live: Live[];
  /** Messages to actors that no actor sends. Each source says each thing once: (source, target) is unique. */
  tells: { source: string; to: string; event: MachineEvent }[];
  idempotency: Idempotency | null;
};

/** `seq` and `ownerSeq` of each of the unit's facts: the actors' in order, then the slices'. */
export type UnitOutcome =
  | { kind: "won"; seqs: { seq: number; ownerSeq: number }[] }
  | { kind: "version_lost" }
  | { kind: "reserve_denied" }
  | { kind: "gone" }
  | { kind: "replayed"; bodyHash: string; status: number; answer: unknown };

export const emptyUnit = (id: string, traceparent: string | null = null): Unit => ({
  id,
  traceparent,
  actors: [],
  facts: [],
  rows: {},
  live: [],
  tells: [],
  idempotency: null,
});
