import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import process from "node:process";
import { after } from "node:test";
import { connect, type Sql } from "../../src/db/connect.ts";
import { migrate } from "../../src/db/migrate.ts";
import { createLog } from "../../src/log.ts";
import { temporaryDirectory } from "./directory.ts";
import { engineAnswers } from "./docker.ts";

/**
 * One PostgreSQL per test process, started by the first file that asks: TEST_DATABASE_URL, else the
 * embedded binaries in a temporary directory, else (or with TEST_POSTGRES=docker) a container.
 */

type Server = { url: string; stop(): Promise<void> };

type Cluster = { server: Server; admin: Sql; template: string; clones: Set<string> };

/** A fresh, migrated database of its own. */
export type TestDatabase = {
  /** For `connect` and for DATABASE_URL of a child process. */
  url: string;
  name: string;
  drop(): Promise<void>;
};

const embedded = async (): Promise<Server> => {
  const { startPostgres } = await import("../../src/embedded/postgres.ts");
  const directory = await temporaryDirectory();
  const server = await startPostgres({
    dataDir: directory,
    log: createLog("error"),
    settings: { fsync: "off", synchronous_commit: "off", full_page_writes: "off", max_connections: "300" },
  });
  const remove = () => rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
  process.once("exit", remove);
  return { url: server.url, stop: () => server.stop().finally(remove) };
};

const container = async (): Promise<Server> => {
  const { PostgreSqlContainer } = await import("@testcontainers/postgresql");
  const started = await new PostgreSqlContainer("postgres:18-alpine")
    .withCommand(["postgres", "-c", "fsync=off", "-c", "max_connections=300"])
    .start();
  return { url: started.getConnectionUri(), stop: () => started.stop().then(() => undefined) };
};

const chooseServer = async (): Promise<Server> => {
  const given = process.env.TEST_DATABASE_URL;
  if (given) return { url: given, stop: async () => {} };
  if (process.env.TEST_POSTGRES === "docker") return container();
  return embedded().catch(async (error) => {
    if (await engineAnswers()) return container();
    throw error;
  });
};

const inDatabase = (url: string, database: string) => {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
};

const startCluster = async (): Promise<Cluster> => {
  const server = await chooseServer();
  const admin = connect(inDatabase(server.url, "postgres"), { max: 4, role: "admin" });
  const template = `darkroom_test_${randomBytes(6).toString("hex")}`;
  await admin.unsafe(`create database ${template}`);
  const sql = connect(inDatabase(server.url, template), { max: 1, role: "admin" });
  await migrate(sql).finally(() => sql.end({ timeout: 5 }));
  return { server, admin, template, clones: new Set() };
};

// `bun test` runs all files in one process but may load this module once per file.
const holder = globalThis as typeof globalThis & { darkroomTestCluster?: Promise<Cluster> };

const cluster = () => (holder.darkroomTestCluster ??= startCluster());

/**
 * Makes a database from the migrated template (tens of milliseconds). Drop it in `after`; whatever is
 * left goes with the cluster.
 */
export const cloneDatabase = async (): Promise<TestDatabase> => {
  const { server, admin, template, clones } = await cluster();
  const name = `${template}_${randomBytes(5).toString("hex")}`;
  await admin.unsafe(`create database ${name} template ${template}`);
  clones.add(name);
  const drop = async () => {
    if (!clones.delete(name)) return;
    await admin.unsafe(`drop database if exists ${name} with (force)`);
  };
  return { url: inDatabase(server.url, name), name, drop };
};

/** Ends the cluster of this process, if one was started. `bun test` calls it after the last file. */
export const stopCluster = async (): Promise<void> => {
  const running = holder.darkroomTestCluster;
  if (!running) return;
  holder.darkroomTestCluster = undefined;
  const { server, admin, template, clones } = await running;
  if (process.env.TEST_DATABASE_URL)
    for (const name of [...clones, template]) await admin.unsafe(`drop database if exists ${name} with (force)`);
  await admin.end({ timeout: 5 });
  await server.stop();
};

// Deno has no preload: each file is a program of its own, which ends with this hook.
if ("Deno" in globalThis) after(stopCluster);
