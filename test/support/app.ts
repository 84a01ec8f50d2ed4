import { rm } from "node:fs/promises";
import { type App, createApp } from "../../src/app.ts";
import { createTokens } from "../../src/auth/tokens.ts";
import { type Config, readConfig } from "../../src/config.ts";
import type { Role } from "../../src/http/principal.ts";
import { createGate } from "../../src/runtime/gate.ts";
import { listen } from "../../src/runtime/select.ts";
import type { Overrides } from "../../src/services.ts";
import { type Client, createClient } from "./client.ts";
import { temporaryDirectory } from "./directory.ts";
import { cloneDatabase } from "./postgres.ts";

/** A Darkroom in this process, behind a real listener, with a database and a directory of its own. */
export type TestApp = {
  /** Base URL without a trailing slash. */
  url: string;
  config: Config;
  /** For `connect`, to look at the tables. */
  database: NonNullable<Overrides["database"]>;
  /** Nobody in particular: in demo mode, the demo user. */
  client: Client;
  /** A client that sends this user's token. */
  as(userId: string, role?: Role): Promise<Client>;
  /** A token as the login gives it. */
  token(userId: string, role?: Role): Promise<string>;
  /** Resolves when nothing is running; timers may be set. */
  settle(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

export const TEST_SECRET = "an old darkroom smells of vinegar";

/** Everything as fast as it goes. */
export const FAST = {
  HOST: "127.0.0.1",
  LOG_LEVEL: "silent",
  JWT_SECRET: TEST_SECRET,
  SIMULATED_LATENCY_MS: "100",
  SIMULATED_QUEUE_MS: "0",
  POLL_MIN_MS: "20",
  POLL_MAX_MS: "200",
};
const MAX_BODY = 64 * 1024 * 1024;

/**
 * Starts the app as `src/main.ts` does: the port first, then everything behind it.
 * @param settings environment on top of fast defaults; a PUBLIC_URL of `own` is replaced by the app's own
 * @param overrides `database` is then not dropped here
 */
export const startApp = async (settings: Record<string, string> = {}, overrides: Overrides = {}): Promise<TestApp> => {
  await using opened = new AsyncDisposableStack();
  const dataDir = await temporaryDirectory();
  opened.defer(() => rm(dataDir, { recursive: true, force: true, maxRetries: 5 }));
  let { database } = overrides;
  if (database === undefined) {
    const clone = await cloneDatabase();
    opened.defer(() => clone.drop());
    database = clone.url;
  }
  const gate = createGate();
  const listening = await listen({ host: "127.0.0.1", port: 0, maxBody: MAX_BODY }, gate);
  opened.defer(() => listening.stop());
  const url = `http://127.0.0.1:${listening.port}`;
  const given = { ...FAST, DATA_DIR: dataDir, ...settings, PORT: String(listening.port) };
  const config = readConfig(settings.PUBLIC_URL === "own" ? { ...given, PUBLIC_URL: url } : given);
  const app: App = await createApp(config, { ...overrides, database });
  opened.use(app);
  opened.defer(() => listening.stop());
  opened.defer(() => app.drain());
  gate.open(app);
  await app.start();

  const secret = new TextEncoder().encode(config.JWT_SECRET);
  const tokens = createTokens({ secret, ttlS: config.JWT_TTL_S, demo: config.DEMO });
  const token = async (id: string, role: Role = "user") => (await tokens.sign({ id, role })).token;
  const closing = opened.move();
  return {
    url,
    config,
    database,
    client: createClient(() => url),
    token,
    as: async (userId, role) => createClient(() => url, { authorization: `Bearer ${await token(userId, role)}` }),
    settle: app.settle,
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
};
