import { randomBytes } from "node:crypto";
import process from "node:process";
import { after } from "node:test";
import { connect, type Sql } from "../../src/db/connect.ts";
import { migrate } from "../../src/db/migrate.ts";
import { chooseServer, type Server } from "./postgres-server.ts";

/** One PostgreSQL per test process, started by the first file that asks. Which one: see `chooseServer`. */

type Cluster = { server: Server; admin: Sql; template: string; clones: Set<string> };

/** A fresh, migrated database of its own. */
export type TestDatabase = {
  /** For `connect` and for DATABASE_URL of a child process. */
  url: string;
  name: string;
  drop(): Promise<void>;
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
  await admin.unsafe(`create database ${template}`).catch(async (error: Error) => {
    await admin.end({ timeout: 5 });
    await server.stop();
    throw new Error(`the tests' PostgreSQL takes no database (TEST_DATABASE_URL, if set): ${error.message}`);
  });
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
