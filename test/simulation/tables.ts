import type { FactRow } from "../../src/facts/log.ts";

export type Row = Record<string, unknown>;

export type ActorRow = {
  id: string;
  kind: string;
  machine_version: number;
  state: string;
  status: string | null;
  /** As text: who reads it gets a copy. */
  snapshot: string;
  version: number;
  wake_at: number | null;
  owner_id: string;
  stream_id: string;
  account: string | null;
  finished_at: number | null;
  parked_reason: string | null;
};

export type LetterRow = {
  target: string;
  source: string;
  source_version: number;
  n: number;
  event: { type: string };
  created_at: number;
};

/** `committedAt`, `attempt` and `ref` are the simulation's own: what the checker compares bills with. */
export type TransitionRow = {
  version: number;
  at: number;
  event: string;
  from: string | null;
  to: string;
  effects: string[];
  folded: string[];
  committedAt: number;
  attempt: string | null;
  ref: string | null;
  reason: string | null;
};

export type StreamRow = { id: string; owner_id: string; seq: number; published: number };
export type AccountRow = {
  id: string;
  slots: number;
  in_use: number;
  virtual_time: number;
  submits_per_minute: number | null;
  submit_tokens: number;
  submits_at: number;
  checks_per_minute: number | null;
  check_tokens: number;
  checks_at: number;
  paused_reason: string | null;
  paused_at: number | null;
  paused_until: number | null;
  strikes: number;
  probe: string | null;
  pace_ms: number | null;
  paced_until: number | null;
};

/** What one commit or query did with an account; the simulation's own, for the checker: it is told, not worked out. */
export type Dealing = {
  account: string;
  at: number;
  starts?: string[];
  /** What was sent by these was taken. */
  opens?: string[];
  pauses?: { actor: string | null; ms: number; pace_ms: number | null }[];
  checks?: number;
  heldMs?: number;
};
export type TurnRow = { account: string; owner_id: string; waiting: number; virtual_time: number };
export type IdempotencyRow = { unit: string; body_hash: string; status: number; answer: unknown; created_at: number };

/** The tables of `sql/`, as far as actors, facts and streams use them. */
export const createTables = () => ({
  actors: new Map<string, ActorRow>(),
  /** Those that have not finished: what an index on `wake_at` and `state` would give. */
  live: new Map<string, ActorRow>(),
  inbox: new Map<string, LetterRow[]>(),
  transitions: new Map<string, TransitionRow[]>(),
  streams: new Map<string, StreamRow>(),
  /** Those with facts that are not published: the partial index of that name. */
  dirty: new Set<StreamRow>(),
  facts: new Map<string, FactRow[]>(),
  /** model and tool → the facts of what was rendered: the partial index of that name. */
  rendered: new Map<string, FactRow[]>(),
  /** owner → its latest owner_seq. */
  users: new Map<string, number>(),
  accounts: new Map<string, AccountRow>(),
  dealings: [] as Dealing[],
  turns: new Map<string, TurnRow>(),
  idempotency: new Map<string, IdempotencyRow>(),
  commits: new Map<string, { at: number; answer: unknown }>(),
  jobs: new Map<string, Row>(),
  batches: new Map<string, Row>(),
  outputs: new Map<string, Row[]>(),
  claims: new Map<string, { node: string; expires_at: number }>(),
  incarnations: new Map<string, { incarnation: string; head: number; losses: number; rewound: number }>(),
});
export type Tables = ReturnType<typeof createTables>;

export const turnKey = (account: string, owner: string) => `${account} ${owner}`;
export const letterKey = ({ source, source_version, n }: Pick<LetterRow, "source" | "source_version" | "n">) =>
  `${source} ${source_version} ${n}`;

/** Text order, as of uuids. */
export const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** An error as the driver throws it. */
export const sqlError = (code: string, message: string) => Object.assign(new Error(message), { code });
