import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { after, afterEach, before, describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { connect } from "../../src/db/connect.ts";
import { type EmbeddedPostgres, startPostgres } from "../../src/embedded/postgres.ts";
import { createLog } from "../../src/log.ts";
import { temporaryDirectory } from "../support/directory.ts";

const HOLDER = fileURLToPath(new URL("./postgres-holder.ts", import.meta.url));
const RUNTIME = "Bun" in globalThis ? [] : ["run", "-A", "--no-check"];

const log = createLog("silent");

/** The postmaster's pid, as its data directory tells it. */
const postmaster = async (dataDir: string) =>
  Number((await readFile(join(dataDir, "postgres/data/postmaster.pid"), "utf8")).split("\n")[0]);

const ask = async <T>(url: string, text: string): Promise<T[]> => {
  const sql = connect(url, { max: 1, role: "admin" });
  return sql.unsafe<T[]>(text).finally(() => sql.end({ timeout: 5 })) as Promise<T[]>;
};

const until = async (condition: () => boolean | Promise<boolean>, ms = 10_000) => {
  const deadline = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > deadline) assert.fail(`not so within ${ms} ms: ${condition}`);
    await wait(10);
  }
};

describe("embedded PostgreSQL", () => {
  let dataDir: string;
  let children: ChildProcess[] = [];
  let open: EmbeddedPostgres[] = [];

  const start = async (directory = dataDir) => {
    const server = await startPostgres({ dataDir: directory, log });
    open.push(server);
    return server;
  };
  /** Another process that holds the directory; resolves with the first line that it prints. */
  const hold = async (directory = dataDir, ...rest: string[]) => {
    const child = spawn(process.execPath, [...RUNTIME, HOLDER, directory, ...rest], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(child);
    const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    const said = await new Promise<{ url?: string; error?: string }>((resolve) => {
      createInterface({ input: child.stdout }).once("line", (line) => resolve(JSON.parse(line)));
      child.once("close", () => resolve({}));
    });
    const kill9 = () => {
      child.kill("SIGKILL");
      return exited;
    };
    return { ...said, kill9 };
  };

  before(async () => {
    dataDir = join(await temporaryDirectory(), "data");
  });
  afterEach(async () => {
    for (const child of children) child.kill("SIGKILL");
    for (const server of open) await server.stop();
    children = [];
    open = [];
  });
  after(() => rm(join(dataDir, ".."), { recursive: true, force: true, maxRetries: 5 }));

  it("starts cold as PostgreSQL 18 with an empty UTF-8 database, fsync and no network", async () => {
    const server = await start();
    const [row] = await ask<Record<string, string>>(
      server.url,
      `select current_database() as name, current_setting('server_version') as version,
         current_setting('fsync') as fsync, current_setting('listen_addresses') as addresses,
         pg_encoding_to_char(encoding) as encoding, upper('ä') as upper
       from pg_database where datname = current_database()`,
    );
    assert.match(String(row?.version), /^18\./);
    assert.deepEqual(
      { ...row, version: "18" },
      {
        name: "darkroom",
        version: "18",
        fsync: "on",
        addresses: "",
        encoding: "UTF8",
        upper: "Ä",
      },
    );
  });

  it("keeps its data over a stop and a second start", async () => {
    const first = await start();
    await ask(first.url, "create table kept as select 42 as answer");
    await first.stop();
    const second = await start();
    assert.deepEqual([...(await ask(second.url, "select answer from kept"))], [{ answer: 42 }]);
  });

  it("leaves no process behind when it stops", async () => {
    const server = await start();
    const pid = await postmaster(dataDir);
    await server.stop();
    assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
    assert.equal(existsSync(join(dataDir, "postgres/data/postmaster.pid")), false);
  });

  it("comes back by itself, with everything committed, when its postmaster is killed", async () => {
    const server = await start();
    await ask(server.url, "create table survived as select 1 as n");
    const pid = await postmaster(dataDir);
    process.kill(pid, "SIGKILL");
    await until(async () => (await postmaster(dataDir).catch(() => pid)) !== pid);
    await until(() =>
      ask(server.url, "select 1").then(
        () => true,
        () => false,
      ),
    );
    assert.deepEqual([...(await ask(server.url, "select n from survived"))], [{ n: 1 }]);
  });

  for (const guard of ["setpriv", "watchdog"])
    it(`dies with its parent, however that dies (${guard})`, {
      skip: guard === "setpriv" && process.platform !== "linux",
    }, async () => {
      const holder = await hold(dataDir, guard);
      assert.ok(holder.url, holder.error);
      await holder.kill9();
      await until(() => !existsSync(join(dataDir, "postgres/data/postmaster.pid")));
    });

  it("starts at once after its parent was killed, with the rows of that parent", async () => {
    const holder = await hold();
    await ask(String(holder.url), "create table last_words as select 7 as n");
    await holder.kill9();
    const before = performance.now();
    const server = await start();
    assert.ok(performance.now() - before < 5000);
    assert.deepEqual([...(await ask(server.url, "select n from last_words"))], [{ n: 7 }]);
  });

  it("refuses a directory whose Darkroom is alive, and says which process holds it", async () => {
    const server = await start();
    await assert.rejects(
      startPostgres({ dataDir, log }),
      new RegExp(`another Darkroom \\(pid ${process.pid}\\).*DATA_DIR`),
    );
    assert.deepEqual([...(await ask(server.url, "select 1 as n"))], [{ n: 1 }]);
  });

  it("lets exactly one of two simultaneous first starts win", async () => {
    const fresh = join(dataDir, "../contested");
    const both = await Promise.all([hold(fresh), hold(fresh)]);
    assert.equal(both.filter(({ url }) => url).length, 1);
    assert.match(String(both.find(({ error }) => error)?.error), /another Darkroom/);
  });

  it("ignores a pid file whose pid now belongs to somebody else", async () => {
    await (await start()).stop();
    const data = join(dataDir, "postgres/data");
    const lines = [process.pid, data, 1, 5432, dataDir, "", "", "ready"];
    await writeFile(join(data, "postmaster.pid"), lines.join("\n"));
    const server = await start();
    assert.deepEqual([...(await ask(server.url, "select 1 as n"))], [{ n: 1 }]);
  });

  it("is not wedged by a first start that was killed half-way", async () => {
    const half = join(dataDir, "../half");
    const holding = hold(half);
    const growing = async () =>
      (await readdir(join(half, "postgres")).catch(() => [])).some((name) => name.startsWith("data.new-"));
    await until(growing);
    children.at(-1)?.kill("SIGKILL");
    assert.equal((await holding).url, undefined);
    const server = await start(half);
    assert.deepEqual([...(await ask(server.url, "select 1 as n"))], [{ n: 1 }]);
    assert.equal(await growing(), false);
  });

  it("works below a path that is too long for a socket and closed to others", async () => {
    const deep = join(dataDir, "..", "private", "x".repeat(120));
    await mkdir(join(dataDir, "..", "private"), { mode: 0o700 });
    const server = await start(deep);
    assert.ok(Buffer.byteLength(server.options.host) < 80);
    assert.deepEqual([...(await ask(server.url, "select 1 as n"))], [{ n: 1 }]);
    await server.stop();
    assert.equal(existsSync(server.options.host), false);
  });

  it("gives up a start that is aborted", async () => {
    const signal = AbortSignal.abort(new Error("changed my mind"));
    await assert.rejects(startPostgres({ dataDir, log, signal }), /changed my mind/);
    await start();
  });
});
