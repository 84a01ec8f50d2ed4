/** The outside world as the settings name it: database, bus, storage and providers, embedded where none is named. */
import { createHmac } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { v7 } from "uuid";
import { createDatabaseClock } from "./actors/clock.ts";
import { loadSecret } from "./auth/secret.ts";
import { createMemoryBus } from "./bus/memory.ts";
import { createNatsBus } from "./bus/nats.ts";
import { type Config, isLoopback } from "./config.ts";
import { holdNodeLock } from "./db/alone.ts";
import { connect, type Sql, type Target } from "./db/connect.ts";
import { assertMigrated, migrate } from "./db/migrate.ts";
import { createQueries, loadQueries, type Query } from "./db/queries.ts";
import { createTurnstile } from "./db/turnstile.ts";
import { startPostgres } from "./embedded/postgres.ts";
import { createEmbeddedS3 } from "./embedded/s3/server.ts";
import { createLedger } from "./embedded/simulated/ledger.ts";
import { createSimulatedProvider } from "./embedded/simulated/provider.ts";
import { createRenewal } from "./facts/renewal.ts";
import { createOrigins, pageOrigins } from "./http/origins.ts";
import type { Log } from "./log.ts";
import type { Clock, Draws, Provider } from "./ports.ts";
import { createFalProvider } from "./providers/fal/adapter.ts";
import { createHiggsfieldProvider } from "./providers/higgsfield/adapter.ts";
import { createHiggsfieldV1Provider } from "./providers/higgsfield/v1.ts";
import { createReplicateProvider } from "./providers/replicate/adapter.ts";
import { PUBLIC_PREFIXES } from "./storage/keys.ts";
import { proveRoundTrip } from "./storage/round-trip.ts";
import { createS3Storage } from "./storage/s3.ts";
import { sweepTempFiles } from "./storage/temp-file.ts";

/** The group commit, the relay, and two for what is written beside them. */
const WRITERS = 4;
const CLOSE_S = 5;
/** How long a statement waits for a connection. Together with its own limit this bounds every read. */
const CONNECTION_MS = 3_000;

/** What a test may put in the place of the real thing. */
export type Overrides = {
  database?: Target;
  clock?: Clock;
  draws?: Draws;
  log?: Log;
  providers?: Provider[];
};

type Deps = {
  config: Config;
  dataDir: string;
  /** Makes a secret of its own for each purpose, the same on all nodes that share the one secret. */
  derive(purpose: string): string;
  opened: AsyncDisposableStack;
  log: Log;
};

const openDatabase = async ({ config, dataDir, opened, log }: Deps, given: Target | undefined) => {
  let target = given ?? config.DATABASE_URL;
  const embedded = target === undefined;
  if (target === undefined) {
    const postgres = await startPostgres({ dataDir, log });
    opened.defer(() => postgres.stop());
    target = postgres.options;
  }
  const admin = connect(target, { max: 1, role: "admin" });
  await (embedded ? migrate(admin) : assertMigrated(admin)).finally(() => admin.end({ timeout: CLOSE_S }));
  const alone = config.NATS_URL === undefined;
  const lock = await holdNodeLock(target, alone, log);
  opened.defer(() => lock.close());
  const texts = loadQueries();
  const reads = connect(target, { max: config.DATABASE_POOL, role: "read" });
  const writes = connect(target, { max: WRITERS, role: "write" });
  opened.defer(async () => void (await Promise.all([reads, writes].map((pool) => pool.end({ timeout: CLOSE_S })))));
  const bounded = (sql: Sql, atOnce: number) =>
    createTurnstile(createQueries(sql, texts), { atOnce, patienceMs: CONNECTION_MS });
  return { alone, lock, query: bounded(reads, config.DATABASE_POOL), write: bounded(writes, WRITERS) };
};

/** The storage as the settings name it; `s3` is the embedded one, to be served at our own address. */
export const openStorage = async ({ config, dataDir, derive, opened, log }: Deps) => {
  const origins = createOrigins(config);
  const keys = {
    accessKeyId: config.AWS_ACCESS_KEY_ID ?? "darkroom",
    secretAccessKey: config.AWS_SECRET_ACCESS_KEY ?? derive("embedded-s3"),
    bucket: config.S3_BUCKET,
    region: config.S3_REGION,
  };
  const s3 = config.S3_ENDPOINT_INTERNAL
    ? null
    : await createEmbeddedS3({
        ...keys,
        dir: join(dataDir, "s3"),
        maxObjectBytes: Math.max(config.UPLOAD_MAX_BYTES, config.OUTPUT_MAX_BYTES),
        quotaBytes: config.S3_EMBEDDED_QUOTA_BYTES,
        allowedOrigins: (origin) => origin === new URL(config.PUBLIC_URL).origin || origins.allowed(origin),
        publicPrefixes: config.USE_PUBLIC_URLS ? PUBLIC_PREFIXES : [],
        log,
        now: Date.now,
      });
  opened.defer(() => s3?.close());
  const host = /^(0\.0\.0\.0|::)$/.test(config.HOST) ? "127.0.0.1" : config.HOST;
  const own = `http://${host.includes(":") ? `[${host}]` : host}:${config.PORT}`;
  const options = {
    ...keys,
    sessionToken: s3 ? undefined : config.AWS_SESSION_TOKEN,
    internal: { endpoint: config.S3_ENDPOINT_INTERNAL ?? own },
    public: { endpoint: config.S3_PUBLIC_ENDPOINT ?? config.S3_ENDPOINT_INTERNAL ?? config.PUBLIC_URL },
    pathStyle: s3 !== null || config.S3_USE_PATH_STYLE,
    publicUrls: config.USE_PUBLIC_URLS,
    urlTtlSeconds: config.S3_URL_TTL_S,
  };
  const storage = createS3Storage(options);
  opened.defer(() => storage.close());
  // The embedded one has its bucket, and is behind our own listener, which does not serve yet.
  if (!s3) await proveRoundTrip({ options, origins: pageOrigins(config), log });
  else if (config.AWS_ACCESS_KEY_ID) {
    log.warn("AWS_ACCESS_KEY_ID is set but S3_ENDPOINT_INTERNAL is not, so files stay in DATA_DIR, in the embedded S3");
  }
  return { s3, storage };
};

const list = (text: string | undefined) => (text ?? "").split(",").filter((entry) => entry !== "");

/**
 * Whether a provider at this base URL can call us: never at a URL that nobody set; over https from outside, or an
 * emulator beside us over http.
 */
const reachableFrom = (baseUrl: string, { PUBLIC_URL, PUBLIC_URL_SET }: Config): boolean => {
  if (!PUBLIC_URL_SET) return false;
  const { protocol, hostname } = new URL(PUBLIC_URL);
  return baseUrl.startsWith("http://") || (protocol === "https:" && !isLoopback(hostname));
};

type Made = { provider: Provider; callable: boolean };

/** The real providers: each is there only when its credentials are. `callable`: its webhooks can reach us. */
export const createRealProviders = (config: Config, log: Log, now: () => number): Made[] => {
  const made: Made[] = [];
  if (config.HIGGSFIELD_API_KEY && config.HIGGSFIELD_SECRET) {
    const baseUrl = config.HIGGSFIELD_BASE_URL;
    const deps = {
      baseUrl,
      apiKey: config.HIGGSFIELD_API_KEY,
      secret: config.HIGGSFIELD_SECRET,
      webhookSecrets: list(config.HIGGSFIELD_WEBHOOK_SECRET),
      outputHosts: list(config.HIGGSFIELD_OUTPUT_HOSTS),
      log,
      now,
    };
    const callable = reachableFrom(baseUrl, config);
    made.push({ provider: createHiggsfieldProvider(deps), callable });
    made.push({ provider: createHiggsfieldV1Provider(deps), callable });
  }
  if (config.REPLICATE_API_TOKEN) {
    const baseUrl = config.REPLICATE_BASE_URL;
    const callable = reachableFrom(baseUrl, config);
    const provider = createReplicateProvider({
      baseUrl,
      token: config.REPLICATE_API_TOKEN,
      webhookBase: callable ? `${config.PUBLIC_URL}/hooks/replicate` : null,
      webhookSecret: config.REPLICATE_WEBHOOK_SECRET,
      log,
      now,
    });
    made.push({ provider, callable });
  }
  if (config.FAL_KEY) {
    const baseUrl = config.FAL_BASE_URL;
    made.push({
      provider: createFalProvider({ baseUrl, key: config.FAL_KEY, log, now }),
      callable: reachableFrom(baseUrl, config),
    });
  }
  return made;
};

const createProviders = ({ config, derive, log }: Deps, write: Query, clock: Clock) => {
  const { now } = clock;
  const made = createRealProviders(config, log, now);
  if (config.SIMULATED) {
    const provider = createSimulatedProvider({
      ledger: createLedger((name, params) => write(name, params)),
      now,
      secret: derive("simulated-provider"),
      latencyMs: config.SIMULATED_LATENCY_MS,
      queueMs: config.SIMULATED_QUEUE_MS,
      failureRate: config.SIMULATED_FAILURE_RATE,
      lostRate: config.SIMULATED_LOST_RATE,
      log,
    });
    made.push({ provider, callable: false });
  }
  for (const { provider, callable } of made) {
    const { idempotentSubmit, findable, webhooks } = provider.capabilities;
    const reached = webhooks && callable;
    const safe = idempotentSubmit || findable || (reached && provider.refOf !== undefined);
    const facts = { provider: provider.name, idempotentSubmit, findable, webhooks: reached };
    if (safe) log.info(facts, "provider ready");
    else
      log.warn(facts, "provider ready; a submit whose answer is lost cannot be found again and ends as submit_unknown");
  }
  return made;
};

/** Makes a secret of its own for each purpose. */
export const deriver = (secret: Uint8Array) => (purpose: string) =>
  createHmac("sha256", secret).update(purpose).digest("hex");

/** Opens everything; what was opened is closed by `opened`, in the opposite order. */
export const openServices = async (config: Config, overrides: Overrides, opened: AsyncDisposableStack, log: Log) => {
  const dataDir = resolve(config.DATA_DIR);
  const tmpDir = join(dataDir, "tmp");
  await mkdir(tmpDir, { recursive: true });
  const abandoned = await sweepTempFiles(tmpDir, Date.now());
  if (abandoned > 0) log.info({ abandoned }, "removed what a killed process had left of its downloads");
  const secret = await loadSecret({ ...config, DATA_DIR: dataDir });
  const derive = deriver(secret);
  const deps: Deps = { config, dataDir, derive, opened, log };

  const database = await openDatabase(deps, overrides.database);
  const databaseClock = await createDatabaseClock(database.query);
  opened.defer(() => databaseClock.close());
  const clock = overrides.clock ?? databaseClock;
  const beforeNew = createRenewal({ query: database.write, clock });
  const bus = config.NATS_URL
    ? await createNatsBus({ config, source: config.PUBLIC_URL, beforeNew, log })
    : createMemoryBus();
  opened.defer(() => bus.close());
  const { s3, storage } = await openStorage(deps);
  const made =
    overrides.providers?.map((provider) => ({ provider, callable: provider.capabilities.webhooks })) ??
    createProviders(deps, database.write, clock);
  const draws: Draws = overrides.draws ?? { random: Math.random, id: () => v7() };
  return {
    ...database,
    databaseClock,
    clock,
    draws,
    bus,
    s3,
    storage,
    providers: new Map(made.map(({ provider }) => [provider.name, provider])) as ReadonlyMap<string, Provider>,
    /** Providers whose webhooks can reach us. */
    callable: new Set(
      made
        .filter(({ provider, callable }) => callable && provider.capabilities.webhooks)
        .map(({ provider }) => provider.name),
    ) as ReadonlySet<string>,
    tmpDir,
    secret,
    derive,
  };
};
export type Services = Awaited<ReturnType<typeof openServices>>;
