/** All that the checker may look at when everything has come to rest: rows, books, messages and logs, and no code of ours. */
import { readdir } from "node:fs/promises";
import type { Sql } from "../../src/db/connect.ts";
import { walkKeys } from "../../src/embedded/s3/walk.ts";
import type { Bill as LedgerBill } from "../emulators/kit.ts";
import type { Heard } from "./consumer.ts";
import type { Order } from "./customers.ts";
import type { Target } from "./submit-providers.ts";
import type { Watched } from "./watchers.ts";

export type Context = {
  attempt: string | null;
  attempts: number;
  ref: string | null;
  cancel: string | null;
  error: { code: string } | null;
  /** Of a batch. */
  cancelRequested?: boolean;
  ends?: Record<string, string>;
};
export type Actor = {
  id: string;
  kind: string;
  state: string;
  status: string | null;
  version: number;
  wakeAt: number | null;
  finishedAt: number | null;
  parked: string | null;
  owner: string;
  stream: string;
  context: Context;
};
export type Job = { id: string; batch: string | null; index: number | null; prompt: string };
export type Transition = {
  actor: string;
  version: number;
  at: number;
  event: string;
  to: string;
  effects: string[];
  folded: string[];
  reason: string | null;
};
export type Fact = {
  stream: string;
  seq: number;
  owner: string;
  ownerSeq: number;
  id: string;
  type: string;
  actor: string;
  ref: string | null;
  provider: string | null;
};
/** A billed submit: `attempt` and `job` as it came to the provider, `ending` of what it makes as the provider knows it. */
export type Bill = {
  provider: string;
  id: string;
  attempt: string | null;
  job: string | null;
  at: number;
  ending: string | null;
};
export type Output = { job: string; keys: string[] };

export type Evidence = {
  /** When the rows were read. */
  at: number;
  actors: Actor[];
  jobs: Job[];
  outputs: Output[];
  transitions: Transition[];
  facts: Fact[];
  streams: { id: string; seq: number; published: number }[];
  owners: { id: string; seq: number }[];
  accounts: { id: string; slots: number; inUse: number }[];
  waiting: { account: string; owner: string; waiting: number }[];
  letters: { target: string; source: string }[];
  bills: Bill[];
  /** What JetStream holds in the end, in its order. */
  published: { stream: string; seq: number; id: string }[];
  heard: readonly Heard[];
  watched: readonly Watched[];
  orders: readonly Order[];
  canceled: readonly string[];
  complaints: readonly string[];
  /** Lines at level error, of all nodes. */
  errors: readonly string[];
  /** Keys of the objects in storage, and how many half-written files lie about. */
  objects: string[];
  halves: number;
};

export type Rows = Omit<
  Evidence,
  "published" | "heard" | "watched" | "orders" | "canceled" | "complaints" | "errors" | "objects" | "halves"
>;

const ms = (column: string) => `(extract(epoch from ${column}) * 1000)::float8`;

/** The tables, as of one moment. `bills` are those of the simulated provider. */
export const readRows = (sql: Sql): Promise<Rows> =>
  sql.begin("isolation level repeatable read read only", async (tx) => {
    const rows = <T>(text: string) => tx.unsafe(text) as unknown as Promise<T[]>;
    const [now] = await rows<{ at: number }>(`select ${ms("now()")} as at`);
    return {
      at: now?.at ?? 0,
      actors: await rows<Actor>(`select id, kind, state, status, version, ${ms("wake_at")} as "wakeAt",
        ${ms("finished_at")} as "finishedAt", parked_reason as parked, owner_id as owner, stream_id as stream,
        snapshot->'context' as context from actors`),
      jobs: await rows<Job>(`select id, batch_id as batch, batch_index as index, prompt from jobs`),
      outputs: await rows<Output>(`select job_id as job,
        array[raw_key, min_key] || array(select t->>'key' from jsonb_array_elements(thumbnails) t) as keys from outputs`),
      transitions: await rows<Transition>(`select actor_id as actor, version, ${ms("at")} as at, event, to_state as to,
        array(select jsonb_array_elements_text(effects)) as effects, folded, reason from transitions order by version`),
      facts: await rows<Fact>(`select stream_id as stream, seq, owner_id as owner, owner_seq as "ownerSeq", id, type,
        actor_id as actor, data->>'ref' as ref, data->>'provider' as provider from facts order by stream_id, seq`),
      streams: await rows(`select id, seq, published from streams`),
      owners: await rows(`select id, owner_seq as seq from users`),
      accounts: await rows(`select id, slots, in_use as "inUse" from accounts`),
      waiting: await rows(`select account, owner_id as owner, waiting from turns`),
      letters: await rows(`select target, source from inbox`),
      bills: await rows<Bill>(`select 'simulated' as provider, s.ref as id, s.attempt, a.id as job,
        ${ms("s.submitted_at")} as at, 'ended' as ending
        from simulated_submits s left join actors a on a.snapshot->'context'->>'attempt' = s.attempt`),
    };
  });

/** `…/hooks/<provider>/<job>.<attempt>.<signature>`: where an attempt wants to be told names it. */
const HOOK = /\/hooks\/\w+\/([\w-]{36})\.([\w-]{36})\./;

export const billsOf = ({ name, emulator, endingOf }: Target): Bill[] =>
  emulator.ledger.map(({ id, at, key, webhook }: LedgerBill) => {
    const [, job = null, attempt = null] = HOOK.exec(webhook ?? "") ?? [];
    return { provider: name, id, attempt: key ?? attempt, job, at, ending: endingOf(id) ?? null };
  });

export const readObjects = async (directory: string): Promise<string[]> => {
  const keys: string[] = [];
  for await (const { key } of walkKeys(directory, { prefix: "", after: "" })) keys.push(key);
  return keys;
};

export const countHalves = async (directory: string): Promise<number> =>
  (await readdir(directory)).filter((name) => name.endsWith(".part")).length;
