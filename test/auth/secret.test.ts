import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { loadSecret } from "../../src/auth/secret.ts";

describe("the secret", () => {
  let directory = "";
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "darkroom-secret-"));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it("is the bytes of JWT_SECRET as given", async () => {
    const text = "  not%20decoded, näither trimmed nor hashed  ";
    assert.deepEqual(await loadSecret({ JWT_SECRET: text, DATA_DIR: directory }), new TextEncoder().encode(text));
    assert.deepEqual(await readdir(directory), []);
  });

  it("is made once, kept, and readable by its owner only", async () => {
    const config = { DATA_DIR: join(directory, "data") };
    const made = await loadSecret(config);
    assert.ok(made.length >= 32);
    assert.deepEqual(await loadSecret(config), made);
    assert.deepEqual(await readdir(config.DATA_DIR), ["jwt-secret"]);
    assert.equal((await stat(join(config.DATA_DIR, "jwt-secret"))).mode & 0o777, 0o600);
  });

  it("is the same for all who make it at once", async () => {
    const secrets = await Promise.all(Array.from({ length: 8 }, () => loadSecret({ DATA_DIR: directory })));
    assert.equal(new Set(secrets.map((secret) => secret.toString())).size, 1);
    assert.deepEqual(await readdir(directory), ["jwt-secret"]);
  });

  it("is never a truncated one", async () => {
    await writeFile(join(directory, "jwt-secret"), "short");
    await assert.rejects(loadSecret({ DATA_DIR: directory }), /too short/);
  });
});
