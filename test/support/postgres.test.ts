import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { bunBinary } from "./bun.ts";
import { temporaryDirectory } from "./directory.ts";
import { freePort } from "./port.ts";
import { cloneDatabase } from "./postgres.ts";

const CHOICE = fileURLToPath(new URL("./postgres-choice.ts", import.meta.url));

/** What a test process with this environment gets for a database. */
const choose = (env: Record<string, string>) =>
  new Promise<{ code: number | null; said: string; complained: string }>((resolve, reject) => {
    const { PATH, HOME } = process.env;
    const child = spawn(bunBinary(), [CHOICE], { env: { PATH, HOME, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    let [said, complained] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text) => (said += text));
    child.stderr.setEncoding("utf8").on("data", (text) => (complained += text));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, said, complained }));
  });

describe("the tests' PostgreSQL", () => {
  let directory: string;
  before(async () => {
    directory = await temporaryDirectory();
  });
  after(() => rm(directory, { recursive: true, force: true }));

  it("is the one that TEST_DATABASE_URL names", async () => {
    const given = await cloneDatabase();
    try {
      const { code, said, complained } = await choose({ TEST_DATABASE_URL: given.url });
      assert.equal(code, 0, complained);
      const { host, searchParams } = new URL(given.url);
      const chosen = new URL(said.trim().split(" at ")[1] ?? "");
      assert.deepEqual([chosen.host, chosen.searchParams.get("host")], [host, searchParams.get("host")]);
    } finally {
      await given.drop();
    }
  });

  it("is not another one when that one cannot be used", async () => {
    const { code, said, complained } = await choose({
      TEST_DATABASE_URL: `postgres://nobody@127.0.0.1:${await freePort()}/postgres`,
    });
    assert.notEqual(code, 0);
    assert.equal(said, "");
    assert.match(complained, /TEST_DATABASE_URL.*(ECONNREFUSED|[Cc]onnection)/);
  });

  it("is the embedded one where no engine answers", async () => {
    const { said, complained } = await choose({ DOCKER_HOST: `unix://${join(directory, "absent.sock")}` });
    assert.match(said, /^PostgreSQL 18\./);
    assert.equal(complained, "");
  });

  it("is the embedded one where an engine answers but has no container, and that is told", async () => {
    const socket = join(directory, "engine.sock");
    const asked: string[] = [];
    const engine: Server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.statusCode = request.url === "/_ping" ? 200 : 500;
      response.end(request.url === "/_ping" ? "OK" : JSON.stringify({ message: "this engine refuses" }));
    });
    await new Promise<void>((resolve) => engine.listen(socket, resolve));
    try {
      const { code, said, complained } = await choose({ DOCKER_HOST: `unix://${socket}` });
      assert.equal(code, 0, complained);
      assert.match(said, /^PostgreSQL 18\./);
      assert.match(complained, /engine answers, but starts no postgres:18.*\nThe tests run on the embedded/);
      assert.ok(
        asked.some((line) => !line.endsWith("/_ping")),
        asked.join(", "),
      );
    } finally {
      engine.closeAllConnections();
      await new Promise((resolve) => engine.close(resolve));
    }
  });
});
