import { setTimeout as wait } from "node:timers/promises";
import type { Log } from "../log.ts";
import { connect, type Target } from "./connect.ts";

/** "alone" in the space of session advisory locks. */
const LOCK = 727_001;
const WAIT_MS = 5_000;
const PAUSE_MS = 200;
const LOOK_MS = 5_000;
const CLOSE_S = 1;

/**
 * The lock that says whether this node has company: exclusive without NATS (two nodes would not hear of
 * each other's events), shared with it. It belongs to a session of its own; when that breaks, the next
 * session takes it again. Rejects when it cannot be had in 5 s.
 */
export const holdNodeLock = async (target: Target, exclusive: boolean, log: Log) => {
  // One connection, so one session at a time. Not a reserved one: that would not come back by itself.
  const sql = connect(target, { max: 1, role: "read", lasting: true });
  const attempt = exclusive ? "pg_try_advisory_lock" : "pg_try_advisory_lock_shared";
  let held = false;
  let closed = false;

  const take = async (): Promise<boolean> => {
    const [row] = await sql.unsafe<{ held: boolean }[]>(`
      select case when exists (
        select 1 from pg_locks where locktype = 'advisory' and pid = pg_backend_pid() and objid = ${LOCK} and granted
      ) then true else ${attempt}(${LOCK}) end as held`);
    return row?.held === true;
  };

  const until = performance.now() + WAIT_MS;
  try {
    while (!(await take())) {
      if (performance.now() > until)
        throw new Error(
          exclusive
            ? "another Darkroom already uses this database; two or more nodes need NATS: set NATS_URL on each of them"
            : "a Darkroom without NATS_URL uses this database alone; stop it, or give it NATS_URL too",
        );
      await wait(PAUSE_MS);
    }
  } catch (error) {
    await sql.end({ timeout: CLOSE_S });
    throw error;
  }
  held = true;

  const look = async () => {
    try {
      const now = await take();
      if (held && !now) log.error("another node took the database while this one was cut off from it");
      if (!held && now) log.info("the node lock is held again");
      held = now;
    } catch (error) {
      if (held) log.warn({ err: error }, "the node lock is lost until the database is back");
      held = false;
    }
    if (!closed) schedule();
  };
  let timer: ReturnType<typeof setTimeout>;
  const schedule = () => {
    // Until it is held again the node is not healthy, whatever else is well.
    timer = setTimeout(look, held ? LOOK_MS : PAUSE_MS);
  };
  schedule();

  return {
    check: async () => {
      if (!held) throw new Error("the node lock is not held");
    },
    close: async () => {
      closed = true;
      clearTimeout(timer);
      await sql.end({ timeout: CLOSE_S });
    },
  };
};
