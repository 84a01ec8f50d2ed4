import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { readConfig, Settings } from "../../src/config.ts";

const SHOWN = /^# ([A-Z][A-Z0-9_]*)=(.*)$/gm;

describe(".env.example", () => {
  const read = () => readFile(new URL("../../.env.example", import.meta.url), "utf8");

  it("names every setting once, and nothing else", async () => {
    const names = [...(await read()).matchAll(SHOWN)].map(([, name]) => name);
    assert.deepEqual(names.sort(), Object.keys(Settings.properties).sort());
  });

  it("sets nothing by itself", async () => {
    assert.doesNotMatch(await read(), /^[^#\n]/m);
  });

  it("shows the defaults: with all of them set, the configuration is the same", async () => {
    const shown = Object.fromEntries(
      [...(await read()).matchAll(SHOWN)].map(([, name = "", value = ""]) => [name, value]),
    );
    assert.deepEqual(readConfig(shown), readConfig({}));
  });
});
