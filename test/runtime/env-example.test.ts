import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { ConfigError, readConfig, Settings } from "../../src/config.ts";

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

describe(".env.yandex.example", () => {
  const read = async (): Promise<Record<string, string>> => {
    const text = await readFile(new URL("../../.env.yandex.example", import.meta.url), "utf8");
    return Object.fromEntries([...text.matchAll(/^([A-Z][A-Z0-9_]*)=(.*)$/gm)].map(([, name, value]) => [name, value]));
  };
  const KEY = { AWS_ACCESS_KEY_ID: "YCAJ", AWS_SECRET_ACCESS_KEY: "YCP" };

  it("sets nothing that there is not", async () => {
    const unknown = Object.keys(await read()).filter((name) => !(name in Settings.properties));
    assert.deepEqual(unknown, []);
  });

  it("lacks only the key: with it, files are in Yandex Object Storage", async () => {
    const settings = await read();
    assert.throws(
      () => readConfig(settings),
      new ConfigError(["S3_ENDPOINT_INTERNAL needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"]),
    );
    const config = readConfig({ ...settings, ...KEY });
    assert.deepEqual(
      [config.S3_ENDPOINT_INTERNAL, config.S3_REGION, config.S3_USE_PATH_STYLE, config.S3_PUBLIC_ENDPOINT],
      ["https://storage.yandexcloud.net", "ru-central1", false, undefined],
    );
  });

  it("is what a production node takes, with its secret", async () => {
    const JWT_SECRET = "f3b1c0d2e4a59687f3b1c0d2e4a59687";
    assert.equal(readConfig({ ...(await read()), ...KEY, NODE_ENV: "production", JWT_SECRET }).USE_PUBLIC_URLS, false);
  });
});
