/**
 * `npm run storage:audit [-- --json] [-- --condemn]`: whether everything that rows name is in storage, and what is there
 * that no row names. Reads the settings of the server, which may be running or not. Ends with 1 when something is
 * missing. `--condemn` has the orphans removed, as the daily look would.
 */
import { resolve } from "node:path";
import process from "node:process";
import { loadSecret } from "../auth/secret.ts";
import { type Config, readConfig } from "../config.ts";
import { connect, type Target } from "../db/connect.ts";
import { assertMigrated } from "../db/migrate.ts";
import { createQueries, loadQueries } from "../db/queries.ts";
import { startPostgres } from "../embedded/postgres.ts";
import { prepareDirectory } from "../embedded/postgres-directory.ts";
import { chooseIdentity } from "../embedded/postgres-process.ts";
import { createLog, type Log } from "../log.ts";
import { listen } from "../runtime/select.ts";
import { deriver, openStorage } from "../services.ts";
import { audit, auditTable } from "./audit.ts";

const LOCAL = "127.0.0.1";

/** The database that a running server has embedded, else opened for as long as this takes. */
const openDatabase = async (
  config: Config,
  dataDir: string,
  opened: AsyncDisposableStack,
  log: Log,
): Promise<Target> => {
  if (config.DATABASE_URL) return config.DATABASE_URL;
  const { sockets } = await prepareDirectory(dataDir, await chooseIdentity());
  const running = { host: sockets, port: 5432, user: "postgres", database: "darkroom" };
  const probe = connect(running, { max: 1, role: "read" });
  try {
    await probe`select 1`;
    return running;
  } catch {
    const postgres = await startPostgres({ dataDir, log });
    opened.defer(() => postgres.stop());
    return postgres.options;
  } finally {
    await probe.end({ timeout: 1 });
  }
};

/** The storage: embedded in a running server it is behind that one's address, else opened beside us. */
const openBucket = async (config: Config, dataDir: string, opened: AsyncDisposableStack, log: Log) => {
  const derive = deriver(await loadSecret({ ...config, DATA_DIR: dataDir }));
  const deps = { dataDir, derive, opened, log };
  const { s3, storage } = await openStorage({ ...deps, config });
  if (
    !s3 ||
    (await storage
      .check()
      .then(() => true)
      .catch(() => false))
  )
    return storage;
  const none = async () => new Response(null, { status: 404 });
  const served = { fetch: async (request: Request) => (await s3.handle(request)) ?? none(), socket: none };
  const listening = await listen({ host: LOCAL, port: 0, maxBody: config.BODY_LIMIT_BYTES }, served);
  opened.defer(() => listening.stop());
  return (await openStorage({ ...deps, config: { ...config, HOST: LOCAL, PORT: listening.port } })).storage;
};

const run = async (flags: readonly string[]): Promise<boolean> => {
  const config = readConfig(process.env);
  const log = createLog("error");
  const dataDir = resolve(config.DATA_DIR);
  await using opened = new AsyncDisposableStack();
  const target = await openDatabase(config, dataDir, opened, log);
  const sql = connect(target, { max: 2, role: "admin" });
  opened.defer(() => sql.end({ timeout: 5 }));
  await assertMigrated(sql);
  const storage = await openBucket(config, dataDir, opened, log);
  const texts = loadQueries();
  const query = createQueries(sql, texts);
  const now = Date.now();

  const named = async function* () {
    const pages = sql.unsafe<{ key: string; required: boolean }[]>(texts.namedKeys ?? "").cursor(1_000);
    for await (const page of pages) yield* page;
  };
  const found = await audit({
    named: named(),
    listed: storage.list(""),
    olderThan: now - config.OBJECT_GRACE_S * 1000,
    unnamed: async (keys) => (await query<{ key: string }>("unnamedKeys", [keys])).map(({ key }) => key),
    isThere: async (key) => (await storage.stat(key)) !== null,
    ...(flags.includes("--condemn") && {
      condemn: async (keys: string[]) => (await query("condemnUnnamed", [keys, new Date(now)])).length,
    }),
  });
  process.stdout.write(flags.includes("--json") ? `${JSON.stringify(found)}\n` : auditTable(found));
  return found.missing.length === 0;
};

const flags = process.argv.slice(2);
const unknown = flags.filter((flag) => !["--json", "--condemn"].includes(flag));
try {
  if (unknown.length > 0) throw new Error(`unknown: ${unknown.join(" ")}; there are --json and --condemn`);
  process.exit((await run(flags)) ? 0 : 1);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(2);
}
