import process from "node:process";
import { createTokens } from "../../src/auth/tokens.ts";
import type { Role } from "../../src/http/principal.ts";
import { FAST, TEST_SECRET } from "./app.ts";
import { type Client, createClient } from "./client.ts";
import { cloneDatabase } from "./postgres.ts";
import { type Runtime, type ServerEnvironment, startServer, type TestServer } from "./server.ts";

/** A Darkroom in a process of its own, seen from outside: nothing but its sockets and its log. */
export type Remote = {
  /** Base URL without a trailing slash. */
  url: string;
  /** Nobody in particular: in demo mode, the demo user. */
  client: Client;
  /** A client that sends this user's token. */
  as(userId: string, role?: Role): Promise<Client>;
  /** A token as the login gives it. */
  token(userId: string, role?: Role): Promise<string>;
  /** Its log so far, parsed. */
  lines(): Record<string, unknown>[];
  server: TestServer;
  [Symbol.asyncDispose](): Promise<void>;
};

const parsed = (line: string): Record<string, unknown>[] => (line.startsWith("{") ? [JSON.parse(line)] : []);

/**
 * Starts the real program on a runtime, as its users start it, everything embedded; on a database of its own in
 * TEST_DATABASE_URL where that is set.
 */
export const startRemote = async (via: Runtime, settings: ServerEnvironment = {}): Promise<Remote> => {
  await using opened = new AsyncDisposableStack();
  const given: ServerEnvironment = { ...FAST, LOG_LEVEL: "info", ...settings };
  if (process.env.TEST_DATABASE_URL) {
    const database = await cloneDatabase();
    opened.defer(() => database.drop());
    given.DATABASE_URL ??= database.url;
  }
  const server = opened.use(await startServer(given, { via }));
  const { url } = server;
  const tokens = createTokens({ secret: new TextEncoder().encode(TEST_SECRET), ttlS: 3600, demo: true });
  const token = async (id: string, role: Role = "user") => (await tokens.sign({ id, role })).token;
  const closing = opened.move();
  return {
    url,
    server,
    client: createClient(() => url),
    token,
    as: async (userId, role) => createClient(() => url, { authorization: `Bearer ${await token(userId, role)}` }),
    lines: () => server.logs().split("\n").slice(0, -1).flatMap(parsed),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
};
