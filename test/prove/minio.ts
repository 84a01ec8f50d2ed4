/**
 * The storage's contract on the embedded S3 and on a real MinIO, case by case. Needs Go, which builds it, and
 * Chromium.
 */
import { execFile, spawn } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { ORIGIN } from "../storage/targets.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { startMinio } from "../support/minio.ts";
import { goProgram } from "./go-program.ts";

/** The newest that its repository has: it is not released any more. */
const MODULE = "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c";

const FOR_A_WHILE = /with keys that are good for a while$|to keys that are good for a while$/;

type Verdicts = Map<string, Map<string, string>>;

const ENTITIES: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
const plain = (text: string) => text.replace(/&(\w+);/g, (all, name) => ENTITIES[name] ?? all);

/** case → server → verdict, of a JUnit report. A suite is one server's, by its name: `… on <server>`. */
const readReport = (xml: string): Verdicts => {
  const verdicts: Verdicts = new Map();
  for (const [, attributes = "", rest = ""] of xml.matchAll(/<testcase ([^>]*?)(\/>|>[\s\S]*?<\/testcase>)/g)) {
    const attribute = (name: string) => plain(new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? "");
    const [path, name] = [attribute("classname"), attribute("name")];
    const [suite = "", what = "", server] = /(?:^|> )([^>]+) on (embedded S3|http\S+)/.exec(path) ?? [];
    if (server === undefined) continue;
    const group = path.split(" > ").find((part) => part !== "" && !suite.endsWith(part)) ?? what;
    const key = `${group}: ${name}`;
    const verdict = /<(failure|error)/.test(rest) ? "failed" : /<skipped/.test(rest) ? "skipped" : "passed";
    verdicts.set(key, (verdicts.get(key) ?? new Map()).set(server.startsWith("http") ? "MinIO" : server, verdict));
  }
  return verdicts;
};

const run = async (env: Record<string, string>, report: string): Promise<number | null> => {
  const files = ["test/storage", "test/browser/s3-cors.test.ts"];
  const args = ["test", "--timeout", "120000", "--reporter=junit", `--reporter-outfile=${report}`, ...files];
  const child = spawn(process.execPath, args, { stdio: "inherit", env: { ...process.env, ...env } });
  return new Promise((resolve) => {
    child.once("exit", resolve);
  });
};

const directory = await temporaryDirectory();
try {
  const program = await goProgram(MODULE, "minio");
  const { stdout } = await promisify(execFile)(program, ["--version"]);
  const minio = await startMinio(program, [ORIGIN, "http://localhost:*"]);
  const report = join(directory, "report.xml");
  const { endpoint, accessKeyId, secretAccessKey } = minio;
  const keys = { S3_TEST_ACCESS_KEY: accessKeyId, S3_TEST_SECRET_KEY: secretAccessKey, S3_TEST_LENIENT: "1" };
  const code = await run({ S3_TEST_ENDPOINT: endpoint, ...keys }, report).finally(minio.stop);
  const verdicts = readReport(await readFile(report, "utf8"));
  let shared = 0;
  for (const [name, servers] of verdicts) {
    const theirs = servers.get("MinIO") ?? "absent";
    // Keys that are good for a while come from an STS, which the embedded one has not.
    const ours = servers.get("embedded S3") ?? (FOR_A_WHILE.test(name) ? "has no STS" : "absent");
    process.stdout.write(`minio: ${name} | embedded ${ours} | MinIO ${theirs}\n`);
    if (ours === "passed" && theirs === "passed") shared += 1;
    else if (ours !== "has no STS" || theirs !== "passed") process.exitCode = 1;
  }
  process.stdout.write(`minio: ${shared} cases on both, ${stdout.split("\n")[0]} (${MODULE})\n`);
  if (code !== 0 || verdicts.size === 0) process.exitCode = 1;
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
} finally {
  await rm(directory, { recursive: true, force: true });
}
