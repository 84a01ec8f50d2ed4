import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Log } from "../log.ts";
import { type Directory, dataArgument } from "./postgres-directory.ts";
import { readPidFile } from "./postgres-orphan.ts";
import { type Identity, launch, type Running } from "./postgres-process.ts";

/** A recovery after a crash replays at most `max_wal_size`. */
const READY_MS = 60_000;
const STOP_MS = 10_000;
const QUIT_MS = 3000;
const POLL_MS = 5;

/** `settings` go on top of the defaults; `signal` gives up the wait for the server to be ready. */
export type ServerOptions = { log: Log; signal?: AbortSignal; settings?: Record<string, string> };

const DEFAULTS = {
  listen_addresses: "",
  max_connections: "100",
  shared_buffers: "128MB",
  max_wal_size: "512MB",
  idle_in_transaction_session_timeout: "60s",
  jit: "off",
  // Fewer processes: reads are small and cached, and nothing replicates.
  io_method: "sync",
  max_logical_replication_workers: "0",
  timezone: "UTC",
  log_timezone: "UTC",
  // Only the server's own life: an ERROR line would carry a client's data into our log.
  log_min_messages: "log",
  log_min_error_statement: "panic",
  log_checkpoints: "off",
};

const within = (ms: number, ended: Promise<unknown>) => {
  const timer = new AbortController();
  return Promise.race([ended.then(() => true), wait(ms, false, { signal: timer.signal }).catch(() => false)]).finally(
    () => timer.abort(),
  );
};

/** Ends it: fast (sessions are cut, all is written), then at once (a recovery follows), then by force. */
export const endServer = async (server: Running): Promise<void> => {
  for (const [name, ms] of [
    ["SIGINT", STOP_MS],
    ["SIGQUIT", QUIT_MS],
    ["SIGKILL", QUIT_MS],
  ] as const) {
    server.signal(name);
    if (await within(ms, server.ended)) return;
  }
};

/** One server that takes connections, or an error that carries its last words. */
export const startServer = async (
  directory: Directory,
  binaries: string,
  identity: Identity,
  { log, signal, settings }: ServerOptions,
): Promise<Running> => {
  const given = {
    ...DEFAULTS,
    unix_socket_directories: directory.sockets === directory.home ? ".." : directory.sockets,
    ...settings,
  };
  const args = ["-D", dataArgument(directory.data), "-p", "5432"];
  for (const [name, value] of Object.entries(given)) args.push("-c", `${name}=${value}`);
  const words: string[] = [];
  const server = launch(identity, join(binaries, "bin", "postgres"), args, directory.data, (line) => {
    words.push(line.replace(/^\S+ \S+ \S+ \[\d+\] /, ""));
    if (words.length > 5) words.shift();
    if (/ (FATAL|PANIC): /.test(line)) log.warn({ postgres: line }, "PostgreSQL reports");
    else log.debug({ postgres: line }, "PostgreSQL reports");
  });
  let over: string | undefined;
  void server.ended.then((how) => {
    over = how;
  });
  const deadline = performance.now() + READY_MS;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const seen = await readPidFile(directory.data);
      if (seen?.pid === server.pid && seen.status === "ready") return server;
      if (over !== undefined) throw new Error(`embedded PostgreSQL did not start (${over}): ${words.join(" / ")}`);
      if (performance.now() > deadline) throw new Error("embedded PostgreSQL was not ready in time");
      await wait(POLL_MS);
    }
  } catch (error) {
    await endServer(server);
    throw error;
  }
};
