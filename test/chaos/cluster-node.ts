/** One node, with somebody who starts it again whenever it ends, and its ways to the rest of the cluster. */
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { startServer, type ServerEnvironment, type TestServer } from "../support/server.ts";
import { type Address, openWay, type Way } from "./proxy.ts";

const AGAIN_MS = 100;
const KEPT_CHARS = 4000;

/** What lies between a node and others; `clients` is between those and the node. */
export const WAYS = ["postgres", "nats", "clients"] as const;
export type WayName = (typeof WAYS)[number];

export type ClusterNode = {
  number: number;
  /** Where clients reach it. */
  url: string;
  ways: Record<WayName, Way>;
  /** SIGKILL, also in the middle of its start or while it stands still. Resolves to whether there was anything to kill. */
  kill(): Promise<boolean>;
  /** It stands still for so long, if it runs. */
  pause(ms: number): Promise<void>;
  /** SIGTERM, and the next one starts. Resolves to how the old one ended. */
  stop(): Promise<number | null>;
  /** Resolves when it is ready, or rejects after `ms`. */
  ready(ms: number): Promise<void>;
  /** The last words of each process that ended although nobody asked it to. */
  deaths: readonly string[];
  /** Lines at level error, of all its processes. */
  errors(): string[];
  /** Ends it for good. Resolves to its exit code. */
  close(): Promise<number | null>;
};

const isError = (line: string) => /"level":"(error|fatal)"/.test(line);

/** Starts it; `address` is where each of its ways leads, `settings` what it is told besides. */
export const openNode = async (
  number: number,
  port: number,
  address: { postgres: Address; nats: Address },
  settings: ServerEnvironment,
): Promise<ClusterNode> => {
  const ways = {
    postgres: await openWay(address.postgres),
    nats: await openWay(address.nats),
    clients: await openWay({ port }),
  };
  const env = {
    ...settings,
    PORT: String(port),
    DATABASE_URL: `postgres://postgres@127.0.0.1:${ways.postgres.port}/darkroom`,
    NATS_URL: `nats://127.0.0.1:${ways.nats.port}`,
  };
  const deaths: string[] = [];
  const errors: string[] = [];
  let server: TestServer | null = null;
  let starting = new AbortController();
  let alive = false;
  let asked = false;
  let closing = false;
  let become = Promise.withResolvers<void>();

  const note = (output: string) => errors.push(...output.split("\n").filter(isError));
  /** One life, from its start to its end. */
  const live = async (): Promise<void> => {
    alive = true;
    asked = false;
    starting = new AbortController();
    const started = await startServer(env, { signal: starting.signal }).catch((error: Error) => {
      note(error.message);
      return null;
    });
    if (!started) return;
    server = started;
    become.resolve();
    const code = await started.exited;
    server = null;
    become = Promise.withResolvers();
    note(started.logs());
    if (!asked) deaths.push(`node ${number} ended by itself with ${code}: ${started.logs().slice(-KEPT_CHARS)}`);
  };
  const lives = (async () => {
    while (!closing) {
      await live();
      alive = false;
      if (!closing && !server) await wait(AGAIN_MS);
    }
  })();

  const stop = async () => {
    asked = true;
    return (await server?.stop().catch(() => null)) ?? null;
  };
  return {
    number,
    url: `http://127.0.0.1:${ways.clients.port}`,
    ways,
    deaths,
    errors: () => [...errors],
    kill: async () => {
      if (!alive) return false;
      asked = true;
      starting.abort();
      await server?.kill9();
      return true;
    },
    pause: async (ms) => {
      if (!server) return;
      const { pid, exited } = server;
      process.kill(pid, "SIGSTOP");
      const killed = await Promise.race([wait(ms, false), exited.then(() => true)]);
      if (!killed) process.kill(pid, "SIGCONT");
    },
    stop,
    ready: async (ms) => {
      const late = wait(ms, "late", { ref: false });
      if ((await Promise.race([become.promise, late])) === "late") throw new Error(`node ${number} is not ready`);
    },
    close: async () => {
      closing = true;
      starting.abort();
      const code = await stop();
      await lives;
      await Promise.all(Object.values(ways).map((way) => way.close()));
      return code;
    },
  };
};
