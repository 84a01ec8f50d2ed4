import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { before, describe, it } from "node:test";
import { ConfigError, readConfig, Settings } from "../../src/config.ts";
import { readCompose, serviceOf } from "./compose.ts";
import { pairsOf, parseDockerfile, readIgnored, readStages, type Stage, wordsOf } from "./dockerfile.ts";

const ROOT = new URL("../../", import.meta.url);
/** Bun's own, in the image's environment. */
const BUNS = ["BUN_RUNTIME_TRANSPILER_CACHE_PATH"];

describe("the Dockerfile", () => {
  let packages: Stage;
  let final: Stage;
  const all = (stage: Stage, name: string) => stage.instructions.filter((instruction) => instruction.name === name);
  const one = (name: string) => {
    const found = all(final, name);
    assert.equal(found.length, 1, name);
    return found[0]?.rest ?? "";
  };
  const env = () => pairsOf(one("ENV"));
  before(async () => {
    const stages = await readStages();
    assert.equal(stages.length, 2);
    [packages, final] = stages as [Stage, Stage];
  });

  it("leaves npm and Node behind: the last stage has Bun on a plain Debian", () => {
    assert.deepEqual([packages.base, final.base], ["node:22-trixie-slim", "debian:trixie-slim"]);
    assert.deepEqual(wordsOf(one("ENTRYPOINT")), ["bun"]);
    assert.deepEqual(wordsOf(one("CMD")), ["src/main.ts"]);
    assert.match(packages.instructions.map(({ rest }) => rest).join("\n"), /npm ci --omit=dev/);
  });

  it("runs as nobody's superuser, who owns the data and nothing else", async () => {
    assert.equal(one("USER"), "10001:10001");
    assert.match(one("RUN"), /--uid 10001 .*--owner=darkroom --group=darkroom --mode=0700 \/data/);
    assert.equal(one("VOLUME"), "/data");
    assert.equal(serviceOf(await readCompose(), "darkroom-1").user, one("USER"));
  });

  it("is stopped by a signal to Bun itself, and asked whether it lives without a shell", () => {
    assert.equal(one("STOPSIGNAL"), "SIGTERM");
    const [, how = ""] = /^CMD (.*)$/.exec(one("HEALTHCHECK")) ?? [];
    assert.match(wordsOf(how).join(" "), /^bun -e .*\/livez/);
    assert.throws(() => wordsOf("bun src/main.ts"), /not in exec form/);
  });

  it("sets settings that there are, and is for production: it says what is missing", () => {
    assert.deepEqual(
      Object.keys(env()).filter((name) => !(name in Settings.properties)),
      BUNS,
    );
    assert.throws(
      () => readConfig(env()),
      new ConfigError(["JWT_SECRET must be set in production (32 characters or more)"]),
    );
    assert.equal(readConfig({ ...env(), NODE_ENV: "development", DEMO: "1" }).DATA_DIR, "/data");
    assert.equal(one("EXPOSE"), env().PORT);
  });

  it("copies what there is, and what .dockerignore lets through, which is nothing else", async () => {
    const ignored = await readIgnored();
    const copied = [packages, final]
      .flatMap((stage) => all(stage, "COPY"))
      .filter(({ flags }) => flags.from === undefined)
      .flatMap(({ rest }) =>
        rest
          .split(/\s+/)
          .slice(0, -1)
          .map((path) => path.split("/")[0] ?? ""),
      );
    const there = await readdir(ROOT);
    for (const entry of copied) assert.ok(there.includes(entry) && !ignored(entry), entry);
    assert.deepEqual([...new Set(copied)].sort(), there.filter((entry) => !ignored(entry)).sort());
    for (const secret of [".env", ".git", "node_modules", ".darkroom"]) assert.ok(ignored(secret), secret);
  });

  it("says which version it is", async () => {
    const { version, description, license } = JSON.parse(await readFile(new URL("package.json", ROOT), "utf8"));
    const args = Object.assign({}, ...all(final, "ARG").map(({ rest }) => pairsOf(rest)));
    const labels = pairsOf(one("LABEL"), args);
    const label = (name: string) => labels[`org.opencontainers.image.${name}`];
    assert.deepEqual([label("version"), label("description"), label("licenses")], [version, description, license]);
  });

  it("has no instruction that the build in folders would not follow", () =>
    assert.throws(() => parseDockerfile("FROM x\nADD a b"), /nobody here knows ADD/));
});
