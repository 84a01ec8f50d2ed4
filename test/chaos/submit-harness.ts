/** The real server in a process of its own, between an emulator and a database that outlive it. */
import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { connect, type Sql } from "../../src/db/connect.ts";
import type { Random } from "../../src/embedded/simulated/drawing/random.ts";
import type { Stage } from "../emulators/kit.ts";
import { type Client, createClient } from "../support/client.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { freePort } from "../support/port.ts";
import { cloneDatabase } from "../support/postgres.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { openTarget, type ProviderName, type Target } from "./submit-providers.ts";

const SETTINGS = {
  LOG_LEVEL: "error",
  SIMULATED: "0",
  PROMPT_ENHANCEMENT: "0",
  PROVIDER_CONCURRENCY: "400",
  POLL_MIN_MS: "200",
  POLL_MAX_MS: "1000",
  NOT_AFTER_MS: "1000",
  SUBMIT_TIMEOUT_MS: "3000",
  POLL_TIMEOUT_MS: "2000",
  CANCEL_TIMEOUT_MS: "2000",
  INGEST_TIMEOUT_MS: "10000",
  RETRY_LIMIT: "10",
};
const STRIKE_MS = 30_000;
const SETTLE_MS = 120_000;

export type Arena = {
  target: Target;
  sql: Sql;
  /** Asks for so many more jobs, each with a prompt of its own, again and again until each is taken. */
  order(count: number): Promise<void>;
  ordered(): number;
  live(): Promise<number>;
  /** Kills the server at the nth submit from now, at that stage. Resolves when it is dead. */
  killAt(stage: Stage, nth: number): Promise<void>;
  /** On the same data and the same port. */
  restart(): Promise<void>;
  /** Stops the process at the nth submit from now, or now, and lets it go on `ms` later. */
  pauseAt(stage: Stage | null, nth: number, ms: number): Promise<void>;
  /** Resolves when every job has ended. */
  settle(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

/** Asks again, with the same key, until there is an answer, or nobody waits for one: the server may be down. */
const insist = async (client: Client, path: string, body: unknown, signal: AbortSignal): Promise<void> => {
  const key = randomUUID();
  while (!signal.aborted) {
    const answer = await client.post(path, body, { "idempotency-key": key }).catch(() => null);
    if (answer && answer.status < 300) return;
    if (answer && answer.status !== 503) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    await wait(50);
  }
};

const within = <T>(ms: number, wanted: Promise<T>, what: string): Promise<T> => {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${what} not in ${ms} ms`)), ms);
  return Promise.race([wanted, late]).finally(() => clearTimeout(timer));
};

/** `more`: settings on top of the fast ones. Dispose of it: the server, the emulator and the database go. */
export const openArena = async (
  name: ProviderName,
  random: Random,
  more: Record<string, string> = {},
): Promise<Arena> => {
  await using opened = new AsyncDisposableStack();
  const target = await openTarget(name);
  opened.defer(() => target.close());
  const database = await cloneDatabase();
  opened.defer(() => database.drop());
  const sql = connect(database.url, { max: 2, role: "admin" });
  opened.defer(() => sql.end({ timeout: 5 }));
  const dataDir = await temporaryDirectory();
  opened.defer(() => rm(dataDir, { recursive: true, force: true, maxRetries: 5 }));
  const port = String(await freePort());
  const here = { PORT: port, PUBLIC_URL: `http://localhost:${port}`, DATABASE_URL: database.url, DATA_DIR: dataDir };
  const env = { ...SETTINGS, ...target.settings, ...more, ...here };
  let server: TestServer = await startServer(env);
  opened.defer(() => server[Symbol.asyncDispose]());

  const anyone = createClient(() => server.url);
  const credentials = { email: "test@example.com", password: "password123" };
  const login = await anyone.post<{ access_token: string }>("/api/auth/login", credentials);
  const client = createClient(() => server.url, { authorization: `Bearer ${login.body.access_token}` });
  let ordered = 0;
  const over = new AbortController();
  opened.defer(() => over.abort());

  const live = async (): Promise<number> => {
    const [row] = await sql`select count(*)::int as n from actors where kind = 'job' and finished_at is null`;
    return row?.n;
  };

  /** Resolves when the strike, at the nth submit from now, was carried out. */
  const strikeAt = (stage: Stage, nth: number, strike: () => Promise<void>, unread: boolean): Promise<void> => {
    const struck = new Promise<void>((resolve, reject) => {
      let left = nth;
      const takeBack = target.emulator.onSubmit(stage, async () => {
        left -= 1;
        if (left !== 0) return;
        takeBack();
        await strike().then(resolve, reject);
        if (unread) throw new Error("not a byte of this submit is read");
      });
    });
    return within(STRIKE_MS, struck, `submit ${nth}`);
  };

  const pause = async (ms: number) => {
    process.kill(server.pid, "SIGSTOP");
    await wait(ms);
    process.kill(server.pid, "SIGCONT");
  };

  const closing = opened.move();
  return {
    target,
    sql,
    order: async (count) => {
      const numbers = Array.from({ length: count }, () => ++ordered);
      await Promise.all(
        numbers.map((n) => insist(client, "/api/generate", { prompt: `A small red fox, number ${n}` }, over.signal)),
      );
    },
    ordered: () => ordered,
    live,
    killAt: (stage, nth) => {
      const lateMs = stage === "after_answer" ? random.between(0, 4) : 0;
      const kill = async () => {
        if (lateMs > 0) await wait(lateMs);
        process.kill(server.pid, "SIGKILL");
        await server.kill9();
      };
      return strikeAt(stage, nth, kill, stage === "before_read");
    },
    restart: async () => {
      server = await startServer(env);
    },
    pauseAt: (stage, nth, ms) => {
      if (stage === null) return pause(ms);
      // The provider goes on meanwhile: what it says waits in the socket.
      let paused = Promise.resolve();
      const stop = async () => {
        paused = pause(ms);
      };
      return strikeAt(stage, nth, stop, false).then(() => paused);
    },
    settle: async () => {
      for (const until = performance.now() + SETTLE_MS; (await live()) > 0; await wait(100)) {
        if (performance.now() < until) continue;
        const stuck = await sql`select id, state from actors where kind = 'job' and finished_at is null limit 5`;
        throw new Error(`jobs have not ended: ${JSON.stringify(stuck)}\n${server.logs()}`);
      }
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
};
