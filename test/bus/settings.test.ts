import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readNatsUrl } from "../../src/config/nats.ts";
import { ConfigError, readConfig } from "../../src/config.ts";

const SEED = `SU${"A".repeat(56)}`;
const URL = "nats://nats:4222";

const problems = (settings: Record<string, string | undefined>): string[] => {
  try {
    readConfig({ S3_EMBEDDED_SHARED: "1", ...settings });
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems;
  }
};

describe("the settings of NATS", () => {
  it("are fine one by one", () => {
    for (const settings of [
      { NATS_URL: "nats://a:4222,nats://b:4222,c:4222" },
      { NATS_URL: "tls://a" },
      { NATS_URL: "nats://user:password@a:4222,nats://b:4222" },
      { NATS_URL: URL, NATS_CREDS_FILE: "a.creds" },
      { NATS_URL: URL, NATS_NKEY: SEED },
      { NATS_URL: URL, NATS_TOKEN: "t" },
      { NATS_URL: URL, NATS_USER: "u", NATS_PASSWORD: "p" },
      { NATS_URL: URL, NATS_TLS_CA_FILE: "ca", NATS_TLS_CERT_FILE: "cert", NATS_TLS_KEY_FILE: "key" },
      { NATS_URL: URL, NATS_STREAM_MAX_AGE_S: "60", NATS_DEDUPE_WINDOW_S: "60", NATS_STREAM_REPLICAS: "3" },
      { NATS_URL: URL, NATS_STREAM_MAX_AGE_S: "0", NATS_DEDUPE_WINDOW_S: "60" },
    ])
      assert.deepEqual(problems(settings), [], JSON.stringify(settings));
  });

  it("are refused where they contradict each other, in sentences without secrets", () => {
    const several =
      "set one of NATS_CREDS_FILE, NATS_NKEY, NATS_TOKEN, NATS_USER and credentials in NATS_URL, not several";
    const list = "NATS_URL must be a list of nats://host:port or tls://host:port";
    for (const [settings, problem] of [
      [{ NATS_URL: `${URL},http://s3cret@b` }, list],
      [{ NATS_URL: "nats://s3cret@:4222" }, list],
      [{ NATS_URL: URL, NATS_TOKEN: "s3cret", NATS_NKEY: SEED }, several],
      [{ NATS_URL: "nats://s3cret@a:4222", NATS_CREDS_FILE: "a.creds" }, several],
      [{ NATS_URL: URL, NATS_USER: "u" }, "set both NATS_USER and NATS_PASSWORD"],
      [{ NATS_URL: URL, NATS_PASSWORD: "s3cret" }, "set both NATS_USER and NATS_PASSWORD"],
      [{ NATS_URL: URL, NATS_TLS_KEY_FILE: "key" }, "set both NATS_TLS_CERT_FILE and NATS_TLS_KEY_FILE"],
      [{ NATS_TOKEN: "s3cret" }, "NATS_TOKEN has no effect without NATS_URL"],
      [
        { NATS_URL: URL, NATS_STREAM_MAX_AGE_S: "60", NATS_DEDUPE_WINDOW_S: "61" },
        "NATS_DEDUPE_WINDOW_S must not exceed NATS_STREAM_MAX_AGE_S",
      ],
    ] as const)
      assert.deepEqual(problems(settings), [problem]);
  });

  it("are refused where the client cannot do it, without being repeated", () => {
    for (const settings of [
      { NATS_URL: "wss://s3cret@a" },
      { NATS_URL: URL, NATS_NKEY: "/s3cret/user.nk" },
      { NATS_URL: URL, NATS_STREAM_REPLICAS: "6" },
      { NATS_URL: URL, NATS_DEDUPE_WINDOW_S: "1" },
    ]) {
      const [problem = "", ...others] = problems(settings);
      assert.deepEqual(others, []);
      assert.doesNotMatch(problem, /s3cret/);
      assert.match(problem, /^NATS_(URL|NKEY|STREAM_REPLICAS|DEDUPE_WINDOW_S): /);
    }
  });
});

describe("NATS_URL", () => {
  it("is taken apart: servers, TLS, and the credentials of whichever has any", () => {
    assert.deepEqual(readNatsUrl("nats://a:4222,b"), { servers: ["a:4222", "b"], tls: false });
    assert.deepEqual(readNatsUrl("tls://[::1]:4222"), { servers: ["[::1]:4222"], tls: true });
    assert.deepEqual(readNatsUrl("nats://a,nats://u:p%40ss%2F@b:1"), {
      servers: ["a", "b:1"],
      tls: false,
      user: "u",
      password: "p@ss/",
    });
    assert.deepEqual(readNatsUrl("nats://t0ken@a"), { servers: ["a"], tls: false, token: "t0ken" });
    assert.deepEqual(readNatsUrl("nats://100%@a"), { servers: ["a"], tls: false, token: "100%" });
  });
});
