import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { connect } from "../../src/db/connect.ts";
import { migrate } from "../../src/db/migrate.ts";
import { type EmbeddedTarget, startPostgres } from "../../src/embedded/postgres.ts";
import { prepareDirectory } from "../../src/embedded/postgres-directory.ts";
import { chooseIdentity } from "../../src/embedded/postgres-process.ts";
import { createLog } from "../../src/log.ts";
import { temporaryDirectory } from "../support/directory.ts";

/** A PostgreSQL of its own, migrated, which starts again by itself when it ends. */
export type OwnServer = {
  database: EmbeddedTarget;
  /** Sends a signal to the postmaster: SIGINT cuts all sessions and ends it, SIGKILL is a crash. */
  signal(name: NodeJS.Signals): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

export const startOwnServer = async (settings: Record<string, string> = {}): Promise<OwnServer> => {
  const dataDir = await temporaryDirectory();
  const server = await startPostgres({
    dataDir,
    log: createLog("silent"),
    settings: { fsync: "off", full_page_writes: "off", ...settings },
  });
  const sql = connect(server.options, { max: 1, role: "admin" });
  await migrate(sql).finally(() => sql.end());
  const { data } = await prepareDirectory(dataDir, await chooseIdentity());
  return {
    database: server.options,
    signal: async (name) => {
      const [pid] = (await readFile(join(data, "postmaster.pid"), "utf8")).split("\n");
      process.kill(Number(pid), name);
    },
    [Symbol.asyncDispose]: async () => {
      await server.stop();
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
};
