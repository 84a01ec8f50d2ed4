import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { ConfigError, readConfig, Settings } from "../../src/config.ts";
import { type Compose, configOf, readCompose, type Service, serviceOf } from "./compose.ts";

const NODES = ["darkroom-1", "darkroom-2"];
/** Fills new volumes with their owners, which takes root. */
const ROOT = ["owners"];
const PRODUCTION = {
  DARKROOM_ENV: "production",
  DEMO: "",
  JWT_SECRET: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c",
  PUBLIC_URL: "https://darkroom.example.com",
  S3_PUBLIC_ENDPOINT: "https://files.example.com",
};

const nodeConfig = (compose: Compose) => readConfig(serviceOf(compose, "darkroom-1").environment ?? {});

describe("docker-compose.yml", () => {
  let compose: Compose;
  let all: [name: string, service: Service][];
  let lasting: [name: string, service: Service][];
  let jobs: [name: string, service: Service][];
  before(async () => {
    compose = await readCompose();
    all = Object.entries(compose.services);
    lasting = all.filter(([, { restart }]) => restart === "unless-stopped");
    jobs = all.filter(([, { restart }]) => restart === "no");
  });

  it("has two nodes behind a proxy, three engines, and jobs that prepare them", () => {
    assert.deepEqual(lasting.map(([name]) => name).sort(), [...NODES, "minio", "nats", "postgres", "proxy"]);
    assert.deepEqual(jobs.map(([name]) => name).sort(), ["bucket", "migrate", "owners"]);
    assert.equal(lasting.length + jobs.length, all.length);
    assert.deepEqual(serviceOf(compose, "darkroom-1"), serviceOf(compose, "darkroom-2"));
  });

  it("knows of everything that stays whether it works", () => {
    for (const [name, { healthcheck }] of lasting) assert.equal(healthcheck?.test?.[0], "CMD", name);
    for (const name of NODES) assert.match(serviceOf(compose, name).healthcheck?.test?.at(-1) ?? "", /8080\/healthz/);
  });

  it("bounds everything: processors, memory, processes, logs", () => {
    for (const [name, { deploy, logging }] of all) {
      const { cpus, memory, pids } = deploy?.resources?.limits ?? {};
      assert.ok(cpus && memory && pids, name);
      assert.ok(logging?.options?.["max-size"] && logging.options["max-file"], name);
    }
  });

  it("runs nobody as root who stays, and nobody with more rights than that", () => {
    for (const [name, { user, cap_drop, security_opt }] of all) {
      assert.equal(/^(0|root)(:|$)/.test(user ?? "root"), ROOT.includes(name), name);
      assert.deepEqual([cap_drop, security_opt], [["ALL"], ["no-new-privileges:true"]], name);
    }
    assert.ok(ROOT.every((name) => jobs.some(([job]) => job === name)));
  });

  it("publishes ports on the loopback of this machine only, and the nodes not at all", () => {
    for (const [name, { ports = [] }] of all)
      for (const port of ports) assert.match(port, /^127\.0\.0\.1:\d+:\d+$/, name);
    for (const name of NODES) assert.equal(serviceOf(compose, name).ports, undefined);
  });

  it("keeps the proxy from the engines, and their network from the world", () => {
    const networks = (name: string) => serviceOf(compose, name).networks;
    assert.deepEqual(networks("proxy"), ["edge"]);
    for (const name of NODES) assert.deepEqual(networks(name), ["edge", "back"]);
    for (const name of ["postgres", "nats", "minio"]) assert.ok(!networks(name)?.includes("edge"), name);
    assert.equal(compose.networks.back?.internal, true);
    const used = new Set(all.flatMap(([, service]) => service.networks ?? []));
    assert.deepEqual([...used].sort(), Object.keys(compose.networks).sort());
    for (const [name, service] of all) assert.ok(service.networks ?? service.network_mode === "none", name);
  });

  it("declares the volumes that it uses, and uses those that it declares", () => {
    const used = new Set(all.flatMap(([, { volumes = [] }]) => volumes.map((volume) => volume.split(":")[0])));
    assert.deepEqual([...used].sort(), Object.keys(compose.volumes).sort());
    assert.deepEqual(serviceOf(compose, "postgres").volumes, ["postgres:/var/lib/postgresql"]);
  });

  it("waits for health of what stays, and for success of what ends", () => {
    const ends = new Set(jobs.map(([name]) => name));
    for (const [name, { depends_on = {} }] of all)
      for (const [other, { condition }] of Object.entries(depends_on)) {
        assert.ok(compose.services[other], `${name} waits for ${other}`);
        assert.equal(condition, ends.has(other) ? "service_completed_successfully" : "service_healthy", name);
      }
    // `up --wait` takes the end of a job for a failure where nobody waits for it.
    const awaited = new Set(all.flatMap(([, { depends_on = {} }]) => Object.keys(depends_on)));
    for (const job of ends) assert.ok(awaited.has(job), job);
  });

  it("takes images of one line of releases, never the latest, and builds its own", () => {
    for (const [name, { image, build }] of all) {
      if (build) assert.deepEqual([build, image], [".", "darkroom"], name);
      else
        assert.match(image ?? "", /^[\w./-]+:(\d+\.\d+|18|RELEASE\.2025-\d\d-\d\dT\d\d-\d\d-\d\dZ)(-[a-z]+)?$/, name);
    }
  });

  it("gives inline configurations to nobody whose disk is read-only: Compose refuses that", () => {
    const sources = all.flatMap(([name, { configs = [], read_only }]) => {
      if (configs.length > 0) assert.ok(!read_only, name);
      return configs.map(({ source }) => source);
    });
    assert.deepEqual(sources.sort(), Object.keys(compose.configs).sort());
    for (const name of NODES) assert.ok(serviceOf(compose, name).read_only);
  });

  it("sends requests to both nodes", () => {
    const servers = [...configOf(compose, "proxy").matchAll(/^ +server (\S+) (\S+)$/gm)].map(([, ...server]) => server);
    const both = NODES.map((name) => [name, `${name}:8080`]);
    assert.deepEqual(servers, [...both, ...both]);
  });
});

describe("the nodes of docker-compose.yml", () => {
  it("are given settings that there are", async () => {
    const names = Object.keys(serviceOf(await readCompose(), "darkroom-1").environment ?? {});
    assert.deepEqual(
      names.filter((name) => !(name in Settings.properties)),
      [],
    );
    assert.ok(names.includes("DATABASE_URL") && names.includes("NATS_URL") && names.includes("S3_ENDPOINT_INTERNAL"));
  });

  it("start with nothing set, as a demo", async () => {
    const config = nodeConfig(await readCompose());
    assert.deepEqual([config.DEMO, config.SIMULATED, config.PUBLIC_URL], [true, true, "http://localhost:8080"]);
    assert.equal(config.FAL_KEY, undefined);
  });

  it("start for production with its settings, and never with the default secret", async () => {
    const keys = { FAL_KEY: "id:key", HIGGSFIELD_API_KEY: "id", HIGGSFIELD_SECRET: "key" };
    const config = nodeConfig(await readCompose({ ...PRODUCTION, ...keys }));
    assert.deepEqual([config.DEMO, config.SIMULATED, config.FAL_KEY], [false, false, "id:key"]);
    const { JWT_SECRET: _, ...lacking } = PRODUCTION;
    const compose = await readCompose(lacking);
    assert.throws(() => nodeConfig(compose), new ConfigError(["JWT_SECRET looks like a default"]));
  });

  it("use the bucket that is made, with the keys of the S3 that is started", async () => {
    const compose = await readCompose();
    const { S3_BUCKET, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = nodeConfig(compose);
    const { environment, ...bucket } = serviceOf(compose, "bucket");
    assert.equal(bucket.command?.at(-1), `minio/${S3_BUCKET}`);
    assert.equal(environment?.MC_HOST_minio, `http://${AWS_ACCESS_KEY_ID}:${AWS_SECRET_ACCESS_KEY}@minio:9000`);
    const { MINIO_ROOT_USER, MINIO_ROOT_PASSWORD } = serviceOf(compose, "minio").environment ?? {};
    assert.deepEqual([MINIO_ROOT_USER, MINIO_ROOT_PASSWORD], [AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY]);
  });

  it("have their pages let in by the S3 that is started, which keeps no CORS rules of its bucket", async () => {
    const PUBLIC_URL = "https://darkroom.example";
    const compose = await readCompose({ ...PRODUCTION, PUBLIC_URL });
    const allowed = String(serviceOf(compose, "minio").environment?.MINIO_API_CORS_ALLOW_ORIGIN).split(",");
    assert.equal(nodeConfig(compose).CORS_ORIGINS, "localhost");
    assert.deepEqual(allowed, [PUBLIC_URL, "http://localhost:*", "http://127.0.0.1:*"]);
  });

  it("have more time to stop than they take", async () => {
    const compose = await readCompose();
    const { DRAIN_DELAY_MS } = nodeConfig(compose);
    assert.equal(serviceOf(compose, "darkroom-1").stop_grace_period, "40s");
    assert.ok(DRAIN_DELAY_MS + 30_000 < 40_000);
  });
});
