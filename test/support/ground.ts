import { rm } from "node:fs/promises";
import { type Client, createClient } from "./client.ts";
import { temporaryDirectory } from "./directory.ts";
import { startNats } from "./nats.ts";
import { cloneDatabase } from "./postgres.ts";
import { startServer, type TestServer } from "./server.ts";

export type Node = { server: TestServer; client: Client };

/** What nodes stand on: one database, one nats-server, one directory. `start` adds a node of its own process. */
export const createGround = async (settings: Record<string, string>) => {
  await using opened = new AsyncDisposableStack();
  const database = await cloneDatabase();
  opened.defer(() => database.drop());
  const nats = await startNats();
  opened.defer(() => nats.stop());
  const directory = await temporaryDirectory();
  opened.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  const env = {
    LOG_LEVEL: "error",
    DATABASE_URL: database.url,
    NATS_URL: nats.url,
    S3_EMBEDDED_SHARED: "1",
    DATA_DIR: directory,
    ...settings,
  };
  const closing = opened.move();
  return {
    database,
    nats,
    start: async (more: Record<string, string> = {}): Promise<Node> => {
      const server = await startServer({ ...env, ...more });
      closing.use(server);
      return { server, client: createClient(() => server.url) };
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
};

/** Logs in as the demo user and gives what sends its token. */
export const logIn = async ({ client, server }: Node): Promise<{ token: string; client: Client }> => {
  const { body } = await client.post<{ access_token: string }>("/api/auth/login", {
    email: "test@example.com",
    password: "password123",
  });
  const token = body.access_token;
  return { token, client: createClient(() => server.url, { authorization: `Bearer ${token}` }) };
};
