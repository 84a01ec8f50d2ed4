/** Three nodes, the services that they share, and the providers, all of which can be made to fail one by one. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { connect as connectNats } from "nats";
import { createTokens } from "../../src/auth/tokens.ts";
import { STREAM } from "../../src/bus/subjects.ts";
import { connect, type Sql } from "../../src/db/connect.ts";
import { migrate } from "../../src/db/migrate.ts";
import { startPostgres } from "../../src/embedded/postgres.ts";
import { readPidFile } from "../../src/embedded/postgres-orphan.ts";
import { createLog } from "../../src/log.ts";
import { TEST_SECRET } from "../support/app.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { startNats } from "../support/nats.ts";
import { freePort } from "../support/port.ts";
import { type ClusterNode, openNode } from "./cluster-node.ts";
import { openWay } from "./proxy.ts";
import { openTarget, type ProviderName, type Target } from "./submit-providers.ts";

export const NODES = 3;

const SETTINGS = {
  LOG_LEVEL: "error",
  JWT_SECRET: TEST_SECRET,
  S3_EMBEDDED_SHARED: "1",
  PROMPT_ENHANCEMENT: "0",
  PROVIDER_CONCURRENCY: "8",
  SIMULATED_LATENCY_MS: "1500",
  SIMULATED_QUEUE_MS: "200",
  POLL_MIN_MS: "200",
  POLL_MAX_MS: "1000",
  // What was under way when a node went is waited for this long, so short makes a run short.
  NOT_AFTER_MS: "1000",
  SUBMIT_TIMEOUT_MS: "2000",
  POLL_TIMEOUT_MS: "1000",
  CANCEL_TIMEOUT_MS: "1000",
  INGEST_TIMEOUT_MS: "5000",
  TAKEOVER_GRACE_MS: "1500",
  PAUSE_MIN_MS: "1000",
  PAUSE_MAX_MS: "4000",
  BREAKER_COOLDOWN_MS: "1000",
  FAILOVER_AFTER_MS: "3000",
  RETRY_LIMIT: "3",
};
const TIMES = { latencyMs: 10, queueMs: 300, runMs: 2000, timers: true };
const THROWAWAY = { fsync: "off", full_page_writes: "off", max_connections: "200" };

export type Cluster = {
  nodes: readonly ClusterNode[];
  targets: readonly Target[];
  /** Straight to the database. */
  sql: Sql;
  natsUrl: string;
  /** Where the objects of the shared storage are. */
  objects: string;
  token(user: string): Promise<string>;
  /** PostgreSQL is killed and recovers. */
  crashPostgres(): Promise<void>;
  /** PostgreSQL is stopped, and started so much later. */
  stopPostgres(ms: number): Promise<void>;
  killNats(ms: number): Promise<void>;
  /** JetStream loses what it has stored. */
  wipeNats(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

/**
 * Starts all of it; dispose of it. `providers` has those that are there in person: the simulated one is the rest.
 * `more`: settings on top of the fast ones.
 */
export const openCluster = async (
  providers: readonly ProviderName[],
  more: Record<string, string>,
): Promise<Cluster> => {
  await using opened = new AsyncDisposableStack();
  const directory = await temporaryDirectory();
  opened.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  const dataDir = join(directory, "data");
  const nats = await startNats();
  opened.defer(() => nats.stop());
  const begin = () => startPostgres({ dataDir: directory, log: createLog("silent"), settings: THROWAWAY });
  let postgres = await begin();
  opened.defer(() => postgres.stop());
  const sql = connect(postgres.options, { max: 3, role: "admin" });
  opened.defer(() => sql.end({ timeout: 5 }));
  await migrate(sql);

  const targets: Target[] = [];
  for (const name of providers) {
    const target = await openTarget(name, TIMES);
    opened.defer(() => target.close());
    targets.push(target);
  }
  const ports = await Promise.all(Array.from({ length: NODES }, freePort));
  const balancer = await openWay(...ports.map((port) => ({ port })));
  opened.defer(() => balancer.close());
  const settings = {
    ...Object.assign({}, ...targets.map((target) => target.settings)),
    ...SETTINGS,
    ...more,
    DATA_DIR: dataDir,
    PUBLIC_URL: `http://127.0.0.1:${balancer.port}`,
  };
  const { host, port } = postgres.options;
  const address = {
    postgres: { path: join(host, `.s.PGSQL.${port}`) },
    nats: { port: Number(new URL(nats.url).port) },
  };
  const nodes = await Promise.all(ports.map((own, n) => openNode(n, own, address, settings)));
  opened.defer(async () => void (await Promise.all(nodes.map((node) => node.close()))));
  const tokens = createTokens({ secret: new TextEncoder().encode(TEST_SECRET), ttlS: 3600, demo: true });

  // One at a time: PostgreSQL cannot be killed while it is down.
  let turn = Promise.resolve();
  const inTurn = (act: () => Promise<void>) => {
    turn = turn.then(act, act);
    return turn;
  };
  const closing = opened.move();
  return {
    nodes,
    targets,
    sql,
    natsUrl: nats.url,
    objects: join(dataDir, "s3", "darkroom", "objects"),
    token: async (id) => (await tokens.sign({ id, role: "user" })).token,
    crashPostgres: () =>
      inTurn(async () => {
        const postmaster = await readPidFile(join(directory, "postgres", "data"));
        if (postmaster) process.kill(postmaster.pid, "SIGKILL");
      }),
    stopPostgres: (ms) =>
      inTurn(async () => {
        await postgres.stop();
        await wait(ms);
        postgres = await begin();
      }),
    killNats: (ms) =>
      inTurn(async () => {
        await nats.kill();
        await wait(ms);
        await nats.restart();
      }),
    wipeNats: () =>
      inTurn(async () => {
        const connection = await connectNats({ servers: nats.url });
        const manager = await connection.jetstreamManager();
        // What was lost before may not have been made anew yet.
        await manager.streams.delete(STREAM).catch(() => false);
        await connection.close();
      }),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
};
