import { rmSync } from "node:fs";
import process from "node:process";
import { createLog } from "../../src/log.ts";
import { temporaryDirectory } from "./directory.ts";
import { engineAnswers } from "./docker.ts";

/** A PostgreSQL for tests: its superuser's URL, and how to end it. */
export type Server = { url: string; stop(): Promise<void> };

const IMAGE = "postgres:18-bookworm";
/** Nothing outlives the tests, so nothing has to outlive a power cut. */
const SETTINGS = { fsync: "off", synchronous_commit: "off", full_page_writes: "off", max_connections: "300" };

const embedded = async (): Promise<Server> => {
  const { startPostgres } = await import("../../src/embedded/postgres.ts");
  const directory = await temporaryDirectory();
  const server = await startPostgres({ dataDir: directory, log: createLog("error"), settings: SETTINGS });
  const remove = () => rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
  process.once("exit", remove);
  return { url: server.url, stop: () => server.stop().finally(remove) };
};

const container = async (): Promise<Server> => {
  const { PostgreSqlContainer } = await import("@testcontainers/postgresql");
  const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const started = await new PostgreSqlContainer(IMAGE).withCommand(["postgres", ...settings]).start();
  return { url: started.getConnectionUri(), stop: () => started.stop().then(() => undefined) };
};

/**
 * The one that TEST_DATABASE_URL names, else a container where an engine answers, else the embedded binaries. An
 * engine that has no container for us is no reason not to test, but it is told.
 */
export const chooseServer = async (): Promise<Server> => {
  const given = process.env.TEST_DATABASE_URL;
  if (given) return { url: given, stop: async () => {} };
  if (await engineAnswers()) {
    try {
      return await container();
    } catch (error) {
      process.stderr.write(
        `A container engine answers, but starts no ${IMAGE}: ${(error as Error).message}\n` +
          "The tests run on the embedded PostgreSQL instead.\n",
      );
    }
  }
  return embedded();
};
