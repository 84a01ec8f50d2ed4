import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import postgres from "postgres";
import type { Log } from "../log.ts";
import { findBinaries } from "./postgres-binaries.ts";
import { claim } from "./postgres-claim.ts";
import { initialise, prepareDirectory, syncCluster } from "./postgres-directory.ts";
import { endOrphan } from "./postgres-orphan.ts";
import { chooseIdentity, type Identity, type Running } from "./postgres-process.ts";
import { endServer, startServer } from "./postgres-server.ts";

/**
 * Embedded PostgreSQL: real server binaries from npm, one cluster per DATA_DIR, unix socket only.
 *
 *   claim the directory ─▶ initdb once ─▶ end an orphan ─▶ run ⇄ (died by itself: restart) ─▶ stopped
 *
 * It cannot outlive its parent (`launch`), it restarts by itself when it dies, and the directory
 * belongs to one Darkroom at a time (`claim`).
 */

const RETRY_MS = 5000;
const RESTART_MS = 1000;

/** Options for postgres.js; `host` is the directory of the unix socket. */
export type EmbeddedTarget = { host: string; port: number; user: string; database: string };

export type EmbeddedPostgres = {
  options: EmbeddedTarget;
  /** The same as a libpq URL, for psql and for child processes. */
  url: string;
  /** Ends the server (fast shutdown: sessions are cut, everything committed is on disk). Idempotent. */
  stop(): Promise<void>;
};

export type EmbeddedOptions = {
  /** The cluster lives in `<dataDir>/postgres`. */
  dataDir: string;
  log: Log;
  /** Gives up a start that is under way. */
  signal?: AbortSignal;
  /** Server settings on top of the defaults, e.g. `{ fsync: "off" }` for throw-away clusters. */
  settings?: Record<string, string>;
  /** Overrides how the server is tied to our life; chosen by platform when absent. */
  guard?: Identity["guard"];
};

const createDatabase = async (target: EmbeddedTarget): Promise<void> => {
  const sql = postgres({
    ...target,
    database: "postgres",
    max: 1,
    connect_timeout: 5,
    fetch_types: false,
    onnotice: () => {},
  });
  try {
    const [found] = await sql`select 1 from pg_database where datname = ${target.database}`;
    if (!found) await sql`create database ${sql(target.database)}`;
  } finally {
    await sql.end({ timeout: 1 });
  }
};

/**
 * Starts PostgreSQL 18 on `<dataDir>/postgres` and keeps it running until `stop`.
 * @throws Error with a sentence for the operator: directory in use, not startable, platform unsupported
 */
export const startPostgres = async (options: EmbeddedOptions): Promise<EmbeddedPostgres> => {
  const { log, signal } = options;
  const identity = await chooseIdentity(options.guard);
  const directory = await prepareDirectory(options.dataDir, identity);
  const held = await claim(join(directory.sockets, "owner.sock"), options.dataDir);
  const binaries = await findBinaries(directory.home, identity).catch(async (error) => {
    await held.release();
    throw error;
  });

  // Backends of a postmaster that was killed go within moments, and until then a new one is refused.
  const begin = async (): Promise<Running> => {
    const deadline = performance.now() + RETRY_MS;
    for (;;) {
      try {
        await endOrphan(directory.data, directory.sockets, log);
        return await startServer(directory, binaries, identity, options);
      } catch (error) {
        if (signal?.aborted || performance.now() > deadline) throw error;
        await wait(100);
      }
    }
  };

  const target = { host: directory.sockets, port: 5432, user: "postgres", database: "darkroom" };
  let server: Running | undefined;
  let synced: Promise<void> | undefined;
  const stopping = new AbortController();
  try {
    const created = await initialise(directory, binaries, identity);
    server = await begin();
    await createDatabase(target);
    if (created && options.settings?.fsync !== "off")
      synced = syncCluster(directory.data, binaries, identity).catch((error) =>
        log.warn({ err: error }, "PostgreSQL is not synced"),
      );
    await held.verify();
  } catch (error) {
    if (server) await endServer(server);
    await synced;
    await held.release();
    throw error;
  }

  const supervise = async (first: Running): Promise<void> => {
    for (let running = first; ; ) {
      const how = await running.ended;
      if (stopping.signal.aborted) return;
      log.error({ how }, "PostgreSQL died; starting it again");
      for (;;) {
        try {
          running = server = await begin();
          break;
        } catch (error) {
          if (stopping.signal.aborted) return;
          log.error({ err: error }, "PostgreSQL does not start; trying again");
          await wait(RESTART_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
        }
      }
      if (stopping.signal.aborted) return endServer(running);
      log.info("PostgreSQL runs again");
    }
  };
  const supervised = supervise(server);

  const stop = async (): Promise<void> => {
    stopping.abort();
    if (server) await endServer(server);
    await supervised;
    await synced;
    await held.release();
    if (directory.sockets !== directory.home) await rm(directory.sockets, { recursive: true, force: true });
  };
  let stopped: Promise<void> | undefined;
  const url = `postgres://postgres@localhost/darkroom?host=${encodeURIComponent(directory.sockets)}`;
  return { options: target, url, stop: () => (stopped ??= stop()) };
};
