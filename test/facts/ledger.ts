import { setTimeout as wait } from "node:timers/promises";
import { v7 } from "uuid";
import { createCommitter } from "../../src/actors/commit.ts";
import { emptyUnit } from "../../src/actors/unit.ts";
import { connect } from "../../src/db/connect.ts";
import { createQueries, loadQueries, type Query } from "../../src/db/queries.ts";
import { createFactLog, type FactLog } from "../../src/facts/log.ts";
import { createLog } from "../../src/log.ts";
import type { Fact } from "../../src/ports.ts";
import { cloneDatabase } from "../support/postgres.ts";

/** A database of its own in which a test commits facts as nodes do, but announces them as it likes. */
export type Ledger = {
  query: Query;
  log: FactLog;
  owner: string;
  url: string;
  /** Commits facts and returns them as the node that committed them would announce them. */
  append(stream: string, count?: number, data?: Record<string, unknown>): Promise<Fact[]>;
  close(): Promise<void>;
};

export const openLedger = async (): Promise<Ledger> => {
  const database = await cloneDatabase();
  const sql = connect(database.url, { max: 6, role: "write" });
  const query = createQueries(sql, loadQueries());
  const committer = createCommitter({
    query,
    log: createLog("silent"),
    id: () => v7(),
    patienceMs: 4000,
    pause: (ms) => wait(ms),
  });
  const owner = v7();
  const first = emptyUnit(v7());
  first.rows.users = [{ id: owner, role: "user" }];
  await committer.commit(first);
  return {
    query,
    owner,
    url: database.url,
    log: createFactLog(query),
    append: async (stream, count = 1, data = {}) => {
      const unit = emptyUnit(v7());
      const at = Date.now();
      unit.facts = Array.from({ length: count }, (_, n) => ({
        id: v7(),
        stream,
        owner,
        type: "message.created",
        at,
        actorKind: "message",
        actorId: v7(),
        data: { n, ...data },
      }));
      const outcome = await committer.commit(unit);
      if (outcome.kind !== "won") throw new Error(`the commit was ${outcome.kind}`);
      const placed = outcome.seqs as { seq: number; ownerSeq: number }[];
      return unit.facts.map((fact, n) => ({ ...fact, traceparent: null, ...(placed[n] as (typeof placed)[number]) }));
    },
    close: async () => {
      await committer.idle();
      await sql.end({ timeout: 5 });
      await database.drop();
    },
  };
};
