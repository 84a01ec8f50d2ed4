import { type Client, createClient } from "../support/client.ts";
import { createGround } from "../support/ground.ts";
import { freePort } from "../support/port.ts";
import type { TestServer } from "../support/server.ts";
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
export const startCluster = async (settings: Record<string, string>): Promise<Cluster> => {
  await using opened = new AsyncDisposableStack();
  const port = await freePort();
  const ground = opened.use(await createGround({ PUBLIC_URL: `http://127.0.0.1:${port}`, ...settings }));
  const startNode = async (): Promise<Node> => {
    const own = await freePort();
    const begin = async () => (await ground.start({ PORT: String(own) })).server;
    const node: Node = {
      port: own,
      server: await begin(),
      restart: async () => {
        node.server = await begin();
      },
    };
    return node;
  };
  const nodes: [Node, Node] = [await startNode(), await startNode()];
  const proxy = await startProxy([nodes[0].port, nodes[1].port], port);
  opened.use(proxy);
  const closing = opened.move();
  return {
    proxy,
    nodes,
    database: ground.database.url,
    client: createClient(() => proxy.url),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
};
