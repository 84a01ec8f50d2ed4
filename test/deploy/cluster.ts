import { rm } from "node:fs/promises";
import { type Client, createClient } from "../support/client.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { startNats } from "../support/nats.ts";
import { freePort } from "../support/port.ts";
import { cloneDatabase } from "../support/postgres.ts";
import { type ServerEnvironment, startServer, type TestServer } from "../support/server.ts";
import { type TestProxy, startProxy } from "./proxy.ts";

/** A node that can be ended and started again on its port. */
export type Node = { port: number; server: TestServer; restart(): Promise<void> };

/** Two nodes behind the proxy of docker-compose.yml, with one PostgreSQL, one NATS and one shared embedded S3. */
export type Cluster = {
  proxy: TestProxy;
  nodes: [Node, Node];
  database: string;
  /** Speaks to the proxy. */
  client: Client;
  [Symbol.asyncDispose](): Promise<void>;
};

/** Starts all of it. */
export const startCluster = async (settings: ServerEnvironment): Promise<Cluster> => {
  await using opened = new AsyncDisposableStack();
  const database = await cloneDatabase();
  opened.defer(() => database.drop());
  const dataDir = await temporaryDirectory();
  opened.defer(() => rm(dataDir, { recursive: true, force: true, maxRetries: 5 }));
  const nats = await startNats();
  opened.defer(() => nats.stop());
  const port = await freePort();
  const env = {
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    DATABASE_URL: database.url,
    NATS_URL: nats.url,
    DATA_DIR: dataDir,
    S3_EMBEDDED_SHARED: "1",
    ...settings,
  };
  const startNode = async (): Promise<Node> => {
    const own = await freePort();
    const begin = () => startServer({ ...env, PORT: String(own) });
    const node: Node = {
      port: own,
      server: await begin(),
      restart: async () => {
        node.server = await begin();
      },
    };
    opened.defer(() => node.server.kill9());
    return node;
  };
  const nodes: [Node, Node] = [await startNode(), await startNode()];
  const proxy = await startProxy([nodes[0].port, nodes[1].port], port);
  opened.use(proxy);
  const closing = opened.move();
  return {
    proxy,
    nodes,
    database: database.url,
    client: createClient(() => proxy.url),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
};
