import { setTimeout as wait } from "node:timers/promises";
import type { Log } from "../log.ts";
import type { Sql } from "./connect.ts";

/** "alone" in the space of session advisory locks. */
const LOCK = 727_001;
const WAIT_MS = 5_000;
const PAUSE_MS = 200;
const LOOK_MS = 5_000;

/**
 * The lock that says whether this node has company: exclusive without NATS (two nodes would not hear of
 * each other's events), shared with it. It belongs to a session of its own and is taken again when
 * that session breaks. Rejects when it cannot be had in 5 s.
 */
export const holdNodeLock = async (sql: Sql, exclusive: boolean, log: Log) => {
  const attempt = exclusive ? "pg_try_advisory_lock" : "pg_try_advisory_lock_shared";
  let session = await sql.reserve();
  let held = false;
  let closed = false;

  const take = async () => {
    const [row] = await session.unsafe<{ held: boolean }[]>(`select ${attempt}(${LOCK}) as held`);
    held = row?.held === true;
    return held;
  };

  const until = performance.now() + WAIT_MS;
  while (!(await take())) {
    if (performance.now() > until) {
      session.release();
      throw new Error(
        exclusive
          ? "another Darkroom already uses this database; two or more nodes need NATS: set NATS_URL on each of them"
          : "a Darkroom without NATS_URL uses this database alone; stop it, or give it NATS_URL too",
      );
    }
    await wait(PAUSE_MS);
  }

  /** A broken session lost the lock with it. */
  const look = async () => {
    try {
      await session.unsafe("select 1");
    } catch {
      held = false;
      try {
        session = await sql.reserve();
        if (await take()) log.info("node lock taken again");
        else log.error("another node took the database while this one was cut off from it");
      } catch (error) {
        log.warn({ err: error }, "node lock is lost until the database is back");
      }
    }
    if (!closed) schedule();
  };
  let timer: ReturnType<typeof setTimeout>;
  const schedule = () => {
    timer = setTimeout(look, LOOK_MS);
  };
  schedule();

  return {
    check: async () => {
      if (!held) throw new Error("the node lock is not held");
    },
    close: async () => {
      closed = true;
      clearTimeout(timer);
      await session.unsafe("select pg_advisory_unlock_all()").catch(() => {});
      session.release();
    },
  };
};
