import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { credsAuthenticator, nkeyAuthenticator } from "nats";
import { v7 } from "uuid";
import { createNatsBus } from "../../src/bus/nats.ts";
import { readConfig } from "../../src/config.ts";
import { recordingLog } from "../http/bundle.ts";
import { until } from "../streams/until.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { startNats, type TestNats } from "../support/nats.ts";
import { type Certificates, writeCertificates } from "./certificates.ts";
import { factsOf } from "./facts.ts";
import { createNkey, createOperator } from "./operator.ts";

const PASSWORD = "p@ss:word/7";
const TOKEN = "t0ken-of-the-house";

/** A node's bus with these settings, given as a node is given them. */
const open = (settings: Record<string, string>) => {
  const { log, lines } = recordingLog();
  const config = readConfig({ S3_EMBEDDED_SHARED: "1", ...settings });
  return { lines, bus: createNatsBus({ config, source: "https://darkroom.example", log }) };
};
const isLetIn = async (settings: Record<string, string>) => {
  const bus = await open(settings).bus;
  try {
    assert.equal(await bus.publish(factsOf(v7(), 1, 3)), 3);
  } finally {
    await bus.close();
  }
};
const isRefused = async (settings: Record<string, string>, sentence: RegExp, secret = "") => {
  const { bus, lines } = open(settings);
  await assert.rejects(bus, (error: Error) => {
    assert.match(error.message, sentence);
    if (secret) assert.doesNotMatch(error.message + error.stack + JSON.stringify(lines), new RegExp(secret));
    return true;
  });
};

describe("a NATS that asks who comes", () => {
  let nats: TestNats;
  afterEach(() => nats.stop());

  it("lets in by user and password, from their settings or from NATS_URL", async () => {
    const login = `authorization { user: darkroom, password: "${PASSWORD}" }`;
    nats = await startNats({ config: async () => login, client: () => ({ user: "darkroom", pass: PASSWORD }) });
    await isLetIn({ NATS_URL: nats.url, NATS_USER: "darkroom", NATS_PASSWORD: PASSWORD });
    const inside = nats.url.replace("://", `://darkroom:${encodeURIComponent(PASSWORD)}@`);
    await isLetIn({ NATS_URL: inside });
    await isRefused({ NATS_URL: nats.url }, /^NATS refuses the credentials; look at NATS_CREDS_FILE/);
    await isRefused({ NATS_URL: inside.replace("darkroom:", "other:") }, /^NATS refuses the credentials/, "word");
    await isRefused({ NATS_URL: nats.url, NATS_USER: "darkroom", NATS_PASSWORD: "s3cret" }, /^NATS refuses/, "s3cret");
  });

  it("lets in by token, from its setting or from NATS_URL", async () => {
    nats = await startNats({
      config: async () => `authorization { token: "${TOKEN}" }`,
      client: () => ({ token: TOKEN }),
    });
    await isLetIn({ NATS_URL: nats.url, NATS_TOKEN: TOKEN });
    await isLetIn({ NATS_URL: nats.url.replace("://", `://${TOKEN}@`) });
    await isRefused({ NATS_URL: nats.url, NATS_TOKEN: "wrong-token" }, /^NATS refuses the credentials/, "wrong-token");
  });

  it("lets in by the seed of an nkey", async () => {
    const { seed, key } = createNkey();
    const authenticator = nkeyAuthenticator(new TextEncoder().encode(seed));
    nats = await startNats({
      config: async () => `authorization { users: [{ nkey: ${key} }] }`,
      client: () => ({ authenticator }),
    });
    await isLetIn({ NATS_URL: nats.url, NATS_NKEY: seed });
    const other = createNkey().seed;
    await isRefused({ NATS_URL: nats.url, NATS_NKEY: other }, /^NATS refuses the credentials/, other);
  });
});

describe("a NATS with an operator", () => {
  const operator = createOperator();
  let nats: TestNats;
  let directory: string;
  let file: string;
  before(async () => {
    const authenticator = credsAuthenticator(new TextEncoder().encode(operator.credentials()));
    nats = await startNats({ config: async () => operator.config, client: () => ({ authenticator }) });
  });
  after(() => nats.stop());
  beforeEach(async () => {
    directory = await temporaryDirectory();
    file = join(directory, "darkroom.creds");
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it("lets in by a credentials file", async () => {
    await writeFile(file, operator.credentials());
    await isLetIn({ NATS_URL: nats.url, NATS_CREDS_FILE: file });
  });

  it("is not asked with a file that is missing, or is none", async () => {
    await isRefused({ NATS_URL: nats.url, NATS_CREDS_FILE: file }, /^NATS_CREDS_FILE cannot be read \(ENOENT\)$/);
    await writeFile(file, "SUAEXAMPLE");
    await isRefused(
      { NATS_URL: nats.url, NATS_CREDS_FILE: file },
      /^NATS_CREDS_FILE is not a credentials file/,
      "SUAEX",
    );
    await writeFile(file, createOperator().credentials());
    await isRefused({ NATS_URL: nats.url, NATS_CREDS_FILE: file }, /^NATS refuses the credentials/);
  });

  it("lets in again after a restart, by whatever the file says then, or said last", async () => {
    await writeFile(file, operator.credentials());
    const bus = await open({ NATS_URL: nats.url, NATS_CREDS_FILE: file }).bus;
    const works = () =>
      until(async () => {
        await bus.storage(null).catch(() => null);
        return (await bus.publish(factsOf(v7(), 1, 1))) === 1;
      });
    await nats.kill();
    await writeFile(file, operator.credentials());
    await nats.restart();
    await works();
    await nats.kill();
    await writeFile(file, "half of i");
    await nats.restart();
    await works();
    await bus.close();
  });
});

describe("a NATS with TLS", () => {
  let nats: TestNats;
  let certificates: Certificates;
  const start = (more: (c: Certificates) => string = () => "") =>
    startNats({
      config: async (directory) => {
        certificates = await writeCertificates(directory);
        const [cert, key] = certificates.server;
        return `tls { cert_file: "${cert}", key_file: "${key}", ${more(certificates)} }`;
      },
      client: () => {
        const [certFile, keyFile] = certificates.client;
        return { tls: { caFile: certificates.ca, certFile, keyFile } };
      },
    });
  afterEach(() => nats.stop());

  it("is trusted when NATS_TLS_CA_FILE vouches for it, and not otherwise", async () => {
    nats = await start();
    const { ca } = certificates;
    await isLetIn({ NATS_URL: nats.url, NATS_TLS_CA_FILE: ca });
    await isLetIn({ NATS_URL: nats.url.replace("nats:", "tls:"), NATS_TLS_CA_FILE: ca });
    await isRefused(
      { NATS_URL: nats.url },
      /^NATS and TLS do not come together; look at NATS_URL and NATS_TLS_CA_FILE/,
    );
    await isRefused(
      { NATS_URL: nats.url, NATS_TLS_CA_FILE: `${ca}.old` },
      /^NATS_TLS_CA_FILE cannot be read \(ENOENT\)$/,
    );
  });

  it("lets in whose certificate it asks for", async () => {
    nats = await start(({ ca }) => `ca_file: "${ca}", verify: true`);
    const [NATS_TLS_CERT_FILE, NATS_TLS_KEY_FILE] = certificates.client;
    await isLetIn({ NATS_URL: nats.url, NATS_TLS_CA_FILE: certificates.ca, NATS_TLS_CERT_FILE, NATS_TLS_KEY_FILE });
    await isRefused({ NATS_URL: nats.url, NATS_TLS_CA_FILE: certificates.ca }, /^NATS /);
  });

  it("is a must where it is asked for: nothing goes in the clear", async () => {
    nats = await startNats();
    const sentence = /^NATS offers no TLS, which tls:\/\/ or NATS_TLS_CA_FILE asks for/;
    await isRefused({ NATS_URL: nats.url.replace("nats:", "tls:") }, sentence);
    const directory = await temporaryDirectory();
    const { ca } = await writeCertificates(directory);
    await isRefused({ NATS_URL: nats.url, NATS_TLS_CA_FILE: ca }, sentence);
    await rm(directory, { recursive: true, force: true });
  });
});
