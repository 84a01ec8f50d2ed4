import { execFile } from "node:child_process";
import { readFile, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import type { Log } from "../log.ts";
import { sendSignal } from "./postgres-process.ts";

const run = promisify(execFile);

const LIMIT_MS = 5000;
const STEP_MS = 20;

/** What `postmaster.pid` says; null when there is none. `status` is `ready` once it takes connections. */
export const readPidFile = async (data: string): Promise<{ pid: number; status: string } | null> => {
  const text = await readFile(join(data, "postmaster.pid"), "utf8").catch(() => "");
  const lines = text.split("\n");
  const pid = Number(lines[0]);
  return Number.isInteger(pid) && pid > 0 ? { pid, status: (lines[7] ?? "").trim() } : null;
};

/** What a program says of a process; nothing when there is no such process. */
const ask = (program: string, args: string[]): Promise<string> =>
  run(program, args).then(
    ({ stdout }) => stdout.trim(),
    (error: { code?: unknown }) => {
      if (typeof error.code === "number") return "";
      throw error;
    },
  );

/**
 * Whether `pid` is the postmaster of `data`. A live pid proves nothing (it may be reused, or a zombie
 * that no init reaps), but a postmaster's working directory is its data directory, and a zombie has none.
 * A program looks, because a runtime may keep `/proc` from us.
 */
const isPostmaster = async (pid: number, data: string): Promise<boolean> => {
  if (process.platform === "linux") return (await ask("readlink", [`/proc/${pid}/cwd`])) === (await realpath(data));
  return (await ask("ps", ["-o", "command=", "-p", String(pid)])).includes(data);
};

/** One that went by itself is fine. */
const signal = (pid: number, name: NodeJS.Signals) => sendSignal(pid, name).catch(() => undefined);

/**
 * Ends what an earlier Darkroom left behind. The caller holds the claim on the directory, so the
 * postmaster's owner is dead and it is on its way out already (see `launch`); it is asked once more
 * and given 5 s, then made to stop at once, which costs a recovery but no commit. A pid file whose
 * process is gone is removed, because PostgreSQL would refuse to start if its pid had been reused.
 */
export const endOrphan = async (data: string, sockets: string, log: Log): Promise<void> => {
  const left = await readPidFile(data);
  if (!left) return;
  const started = performance.now();
  let urged = false;
  if (await isPostmaster(left.pid, data)) {
    log.info({ pid: left.pid }, "waiting for the PostgreSQL of an earlier run to stop");
    await signal(left.pid, "SIGINT");
  }
  while (await isPostmaster(left.pid, data)) {
    const elapsed = performance.now() - started;
    if (elapsed > LIMIT_MS - 1000 && !urged) {
      urged = true;
      await signal(left.pid, "SIGQUIT");
    }
    if (elapsed > LIMIT_MS)
      throw new Error(`PostgreSQL of an earlier run (pid ${left.pid}) does not stop; end it by hand`);
    await wait(STEP_MS);
  }
  await rm(join(data, "postmaster.pid"), { force: true });
  await rm(join(sockets, ".s.PGSQL.5432.lock"), { force: true });
};
