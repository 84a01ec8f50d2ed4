/** What must be so of the tables: each law as a query for what breaks it. */
import assert from "node:assert/strict";
import type { Sql } from "../../src/db/connect.ts";
import { type Evidence, checkActors, checkBatches, checkNow, checkStreams } from "../simulation/checker.ts";
import type { Tables } from "../simulation/tables.ts";
import { readTables } from "./tables.ts";

/** At every instant: a unit's rows are all there, or none. */
const WHOLE: Record<string, string> = {
  "an actor's version counts its transitions": `
    select a.id from actors a left join transitions t on t.actor_id = a.id
    group by a.id having a.version <> count(t) or max(t.version) <> count(t) or min(t.version) <> 1`,
  "a job is a row, an actor and a fact": `
    select coalesce(j.id, a.id) as id from jobs j full join (select * from actors where kind = 'job') a using (id)
    left join facts f on f.actor_id = a.id and f.type = 'job.created'
    where j.id is null or a.id is null or f.id is null`,
  "a batch is a row, an actor, a fact and its jobs": `
    select coalesce(b.id, a.id) as id from batches b full join (select * from actors where kind = 'batch') a using (id)
    left join facts f on f.actor_id = a.id and f.type = 'batch.created'
    where b.id is null or a.id is null or f.id is null
      or b.num_images <> (select count(*) from jobs j where j.batch_id = b.id)`,
  "the jobs of a batch are created by its unit": `
    select j.id from jobs j join transitions t on t.actor_id = j.id and t.version = 1
    join transitions b on b.actor_id = j.batch_id and b.version = 1 where t.unit <> b.unit`,
  "an ended job has said so once, in its last step": `
    select a.id from actors a left join facts f on f.actor_id = a.id
      and f.type in ('job.succeeded', 'job.failed', 'job.timed_out', 'job.canceled')
    where a.kind = 'job' group by a.id having count(f) <> case when a.finished_at is null then 0 else 1 end`,
  "what a job made is there exactly when it succeeded": `
    select a.id from actors a left join outputs o on o.job_id = a.id where a.kind = 'job'
    group by a.id having count(o) <> case when a.state = 'succeeded' then 1 else 0 end`,
  "a chat is a row and a fact, and counts its messages": `
    select c.id from chats c left join messages m on m.chat_id = c.id group by c.id
    having c.message_count <> count(m)
      or not exists (select 1 from facts f where f.stream_id = c.id and f.type = 'chat.created')`,
  "a message is a row and a fact": `
    select coalesce(m.id, f.actor_id) as id from messages m
    full join (select * from facts where type = 'message.created') f on f.actor_id = m.id
    where m.id is null or f.id is null`,
  "an option is a row and a fact, and a button of its message": `
    select coalesce(o.id, f.actor_id) as id from options o
    full join (select * from facts where type = 'option.created') f on f.actor_id = o.id
    left join messages m on m.id = o.message_id
    where o.id is null or f.id is null
      or not m.render_payload @> jsonb_build_array(jsonb_build_object('option_id', o.id))`,
  "a question has its answer": `
    select chat_id as id from messages group by chat_id, created_at
    having count(*) filter (where author_type = 'user') <> count(*) filter (where author_type = 'assistant')`,
  "a remembered answer names what its unit made": `
    select i.unit as id from idempotency i
    left join transitions t on t.unit = i.unit and t.version = 1 and t.actor_id = (i.answer->>'job_id')::uuid
    where t.actor_id is null`,
  "a letter was sent by a step": `
    select i.target as id from inbox i
    left join transitions t on t.actor_id = i.source and t.version = i.source_version where t.actor_id is null`,
  "a bill is of a job's attempt": `
    select s.attempt as id from simulated_submits s
    left join actors a on a.snapshot->'context'->>'attempt' = s.attempt where a.id is null`,
};

/** When all has come to rest, too. */
const AT_REST: Record<string, string> = {
  "who was submitted was billed": `
    select a.id from actors a left join simulated_submits s on s.attempt = a.snapshot->'context'->>'attempt'
    where a.kind = 'job' and s.attempt is null and a.snapshot->'context'->>'ref' is not null`,
};

export type Taken = { jobs: readonly string[]; batches: readonly string[]; chats: readonly string[] };
const NOTHING: Taken = { jobs: [], batches: [], chats: [] };

const evidenceOf = (tables: Tables, taken: Taken): Evidence => {
  const streamOf = (id: string) => tables.actors.get(id)?.stream_id ?? id;
  const jobsOf = (batch: string) => [...tables.jobs.values()].filter(({ batch_id }) => batch_id === batch);
  const inOrder = (batch: string) =>
    jobsOf(batch)
      .toSorted((a, b) => Number(a.batch_index) - Number(b.batch_index))
      .map(({ id }) => String(id));
  return {
    tables,
    bills: [],
    clients: [],
    checked: new Map(),
    // No bus keeps what this app says.
    published: new Map([...tables.facts].map(([stream, facts]) => [stream, new Set(facts.map(({ seq }) => seq))])),
    orders: [
      ...taken.jobs.map((id) => ({ jobs: [id], batch: null, stream: streamOf(id), traceparent: null })),
      ...taken.batches.map((id) => ({ jobs: inOrder(id), batch: id, stream: id, traceparent: null })),
    ],
  };
};

/**
 * Fails when a law is broken. `tx` sees one instant. `taken`: nothing is under way any more, and this is all that customers were told of.
 * `aside`: actors that were hurt on purpose, of which nothing is said.
 */
export const holdLaws = async (
  tx: Pick<Sql, "unsafe">,
  taken: Taken | null,
  aside: readonly string[] = [],
): Promise<Tables> => {
  const laws = taken ? { ...WHOLE, ...AT_REST } : WHOLE;
  for (const [law, text] of Object.entries(laws)) {
    const broken = ((await tx.unsafe(text)) as unknown as { id: string }[]).map(({ id }) => id);
    assert.deepEqual(
      broken.filter((id) => !aside.includes(id)),
      [],
      `not so: ${law}`,
    );
  }
  const tables = await readTables(tx);
  for (const id of aside) {
    tables.live.delete(id);
    tables.actors.delete(id);
    tables.jobs.delete(id);
  }
  for (const [place, [letter]] of tables.inbox) if (aside.includes(letter?.target ?? "")) tables.inbox.delete(place);
  const accuse = (what: string, actor?: string) => assert.fail(`${what} ${actor ?? ""}`);
  const evidence = evidenceOf(tables, taken ?? NOTHING);
  checkNow(evidence);
  checkStreams(evidence, accuse);
  if (!taken) return tables;
  checkActors(evidence, accuse);
  checkBatches(evidence, accuse);
  for (const id of taken.chats) assert.ok(tables.streams.has(id), `a chat that was lost: ${id}`);
  return tables;
};

/** Does this on what the tables hold at one instant. */
export const atOneInstant = <T>(sql: Sql, work: (tx: Pick<Sql, "unsafe">) => Promise<T>): Promise<T> =>
  sql.begin("isolation level repeatable read read only", work) as Promise<T>;
