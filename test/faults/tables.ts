import type { FactRow } from "../../src/facts/log.ts";
import type { Sql } from "../../src/db/connect.ts";
import {
  type AccountRow,
  type ActorRow,
  createTables,
  letterKey,
  type LetterRow,
  type StreamRow,
  type Tables,
  type TransitionRow,
  type TurnRow,
  turnKey,
} from "../simulation/tables.ts";

type Ids = { id: string }[];

/** What PostgreSQL holds at one instant, in the shape that the simulation's laws are written for. */
export const readTables = async (sql: Pick<Sql, "unsafe">): Promise<Tables> => {
  const all = <T extends object>(text: string) => sql.unsafe<T[]>(text) as Promise<T[]>;
  const tables = createTables();
  for (const row of await all<ActorRow>("select *, snapshot::text as snapshot from actors")) {
    tables.actors.set(row.id, row);
    if (row.finished_at === null) tables.live.set(row.id, row);
  }
  const steps = await all<TransitionRow & { actor_id: string }>(`
    select actor_id, version, at, event, from_state as from, to_state as to, effects, folded, at as "committedAt",
      null as attempt, null as ref, reason
    from transitions order by actor_id, version`);
  for (const [actor, rows] of Map.groupBy(steps, ({ actor_id }) => actor_id)) tables.transitions.set(actor, rows);
  const facts = await all<FactRow>("select * from facts order by stream_id, seq");
  for (const [stream, rows] of Map.groupBy(facts, ({ stream_id }) => stream_id)) tables.facts.set(stream, rows);
  for (const row of await all<StreamRow>("select * from streams")) tables.streams.set(row.id, row);
  for (const row of await all<LetterRow>("select * from inbox"))
    tables.inbox.set(`${row.target} ${letterKey(row)}`, [row]);
  for (const row of await all<{ id: string; owner_seq: number }>("select id, owner_seq from users"))
    tables.users.set(row.id, row.owner_seq);
  for (const row of await all<AccountRow>("select * from accounts")) tables.accounts.set(row.id, row);
  for (const row of await all<TurnRow>("select * from turns"))
    tables.turns.set(turnKey(row.account, row.owner_id), row);
  for (const row of await all<{ id: string }>("select * from jobs")) tables.jobs.set(row.id, row);
  for (const row of await all<{ id: string }>("select * from batches")) tables.batches.set(row.id, row);
  const outputs = await all<{ id: string; job_id: string }>("select id, job_id from outputs");
  for (const [job, rows] of Map.groupBy(outputs, ({ job_id }) => job_id)) tables.outputs.set(job, rows as Ids);
  return tables;
};
