import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { connect, type JetStreamManager, type NatsConnection, RetentionPolicy, StorageType } from "nats";
import { v7 } from "uuid";
import { createNatsBus } from "../../src/bus/nats.ts";
import { ALL_SUBJECTS, STREAM } from "../../src/bus/subjects.ts";
import type { NatsSettings } from "../../src/config/nats.ts";
import { recordingLog } from "../http/bundle.ts";
import { until } from "../streams/until.ts";
import { startNats, type TestNats } from "../support/nats.ts";
import { factsOf } from "./facts.ts";

const SECOND = 1_000_000_000;
const MAY_PUBLISH = `"darkroom.>"`;
const MAY_LOOK = `"$JS.API.STREAM.INFO.${STREAM}"`;
const MAY_CHANGE = `"$JS.API.STREAM.UPDATE.${STREAM}"`;
const MAY_MAKE = `"$JS.API.STREAM.CREATE.${STREAM}"`;
const MAY_HEAR = `subscribe: ["darkroom.>", "_INBOX.>"]`;
/** An operator who may do all, and users who may do less and less. */
const USERS = `
  accounts { DARKROOM {
    jetstream: enabled
    users: [
      { user: operator, password: x }
      { user: maker, password: x, permissions { publish: [${MAY_PUBLISH}, ${MAY_LOOK}, ${MAY_MAKE}], ${MAY_HEAR} } }
      { user: changer, password: x, permissions { publish: [${MAY_PUBLISH}, ${MAY_LOOK}, ${MAY_CHANGE}], ${MAY_HEAR} } }
      { user: looker, password: x, permissions { publish: [${MAY_PUBLISH}, ${MAY_LOOK}], ${MAY_HEAR} } }
      { user: stranger, password: x, permissions { publish: [${MAY_PUBLISH}], ${MAY_HEAR} } }
    ]
  }, PLAIN { users: [{ user: plain, password: x }] } }
`;

describe("the stream of facts on NATS", () => {
  let nats: TestNats;
  let connection: NatsConnection;
  let manager: JetStreamManager;
  let opened: AsyncDisposableStack;
  before(async () => {
    const operator = { user: "operator", pass: "x" };
    nats = await startNats({ config: async () => USERS, client: () => operator });
    connection = await connect({ servers: nats.url, ...operator });
    manager = await connection.jetstreamManager();
  });
  after(async () => {
    await connection.close();
    await nats.stop();
  });
  beforeEach(() => {
    opened = new AsyncDisposableStack();
  });
  afterEach(async () => {
    await opened.disposeAsync();
    for await (const { config } of manager.streams.list()) await manager.streams.delete(config.name);
  });

  /** Boots a node's bus as this user. Resolves to what it logged. */
  const boot = async (settings: Partial<NatsSettings> = {}, user = "operator") => {
    const { log, lines } = recordingLog();
    const config = { NATS_URL: nats.url, NATS_USER: user, NATS_PASSWORD: "x", ...settings };
    const bus = await createNatsBus({ config, source: "https://darkroom.example", log });
    opened.defer(() => bus.close());
    return { bus, lines };
  };
  const stream = async () => (await manager.streams.info(STREAM)).config;

  it("is made at the first boot: on disk, for ever, with a window of two minutes", async () => {
    await boot();
    const { subjects, storage, retention, num_replicas, max_age, max_bytes, duplicate_window } = await stream();
    assert.deepEqual(
      { subjects, storage, retention, num_replicas, max_age, max_bytes, duplicate_window },
      {
        subjects: [ALL_SUBJECTS],
        storage: StorageType.File,
        retention: RetentionPolicy.Limits,
        num_replicas: 1,
        max_age: 0,
        max_bytes: -1,
        duplicate_window: 120 * SECOND,
      },
    );
  });

  it("is made as the settings say", async () => {
    await boot({ NATS_STREAM_MAX_AGE_S: 86_400, NATS_STREAM_MAX_BYTES: 1_000_000, NATS_DEDUPE_WINDOW_S: 600 });
    const { max_age, max_bytes, duplicate_window } = await stream();
    assert.deepEqual([max_age, max_bytes, duplicate_window], [86_400 * SECOND, 1_000_000, 600 * SECOND]);
  });

  it("has a window no longer than its age, when only the age is set", async () => {
    await boot({ NATS_STREAM_MAX_AGE_S: 30 });
    assert.equal((await stream()).duplicate_window, 30 * SECOND);
    await boot({ NATS_STREAM_MAX_AGE_S: 20 });
    assert.equal((await stream()).duplicate_window, 20 * SECOND);
  });

  it("is brought to what the settings say by the next boot, and keeps what it holds", async () => {
    const { bus } = await boot({ NATS_STREAM_MAX_AGE_S: 3600 });
    assert.equal(await bus.publish(factsOf(v7(), 1, 3)), 3);
    const { lines } = await boot({ NATS_STREAM_MAX_AGE_S: 0, NATS_STREAM_MAX_BYTES: 9_000, NATS_DEDUPE_WINDOW_S: 60 });
    const { config, state } = await manager.streams.info(STREAM);
    assert.deepEqual([config.max_age, config.max_bytes, config.duplicate_window], [0, 9_000, 60 * SECOND]);
    assert.equal(state.messages, 3);
    assert.match(lines[0]?.message ?? "", /changed to what the settings say/);
  });

  it("stays as an operator made it where the settings say nothing", async () => {
    const made = { max_age: 3600 * SECOND, max_bytes: 5_000_000, duplicate_window: 300 * SECOND, max_msgs: 77 };
    await manager.streams.add({ name: STREAM, subjects: [ALL_SUBJECTS, "orders.>"], ...made });
    const { bus, lines } = await boot();
    const { subjects, max_age, max_bytes, duplicate_window, max_msgs } = await stream();
    assert.deepEqual({ max_age, max_bytes, duplicate_window, max_msgs }, made);
    assert.deepEqual(subjects, [ALL_SUBJECTS, "orders.>"]);
    assert.deepEqual(lines, []);
    assert.equal(await bus.publish(factsOf(v7(), 1, 1)), 1);
  });

  it("gets our subjects beside those of others", async () => {
    await manager.streams.add({ name: STREAM, subjects: ["orders.>", "darkroom.*.*.job.>"] });
    const { bus } = await boot();
    assert.deepEqual((await stream()).subjects, ["orders.>", ALL_SUBJECTS]);
    assert.equal(await bus.publish(factsOf(v7(), 1, 1)), 1);
  });

  it("stops the boot when another stream has our subjects", async () => {
    await manager.streams.add({ name: "OTHER", subjects: ["darkroom.*.*.job.>"] });
    await assert.rejects(boot(), /NATS cannot keep stream DARKROOM as the settings say \(subjects overlap/);
  });

  it("stops the boot when it would lose what it acknowledged", async () => {
    for (const [flaw, sentence] of [
      [{ storage: StorageType.Memory }, /stream DARKROOM on NATS is kept in memory/],
      [{ retention: RetentionPolicy.Workqueue }, /drops what was consumed \(retention workqueue\); delete it/],
      [{ no_ack: true }, /acknowledges nothing/],
      [{ max_msg_size: 1000 }, /takes no facts of \d+ bytes \(max_msg_size\)/],
    ] as const) {
      await manager.streams.add({ name: STREAM, subjects: [ALL_SUBJECTS], ...flaw });
      await assert.rejects(boot(), sentence);
      await manager.streams.delete(STREAM);
    }
  });

  it("stops the boot when a server alone is to keep several copies, there before or not", async () => {
    const sentence = /^Error: NATS_STREAM_REPLICAS=3 needs a cluster, and NATS is one server alone$/;
    await assert.rejects(boot({ NATS_STREAM_REPLICAS: 3 }), sentence);
    await boot();
    await assert.rejects(boot({ NATS_STREAM_REPLICAS: 3 }), sentence);
    assert.equal((await stream()).num_replicas, 1);
  });

  it("is made once by nodes that boot at the same moment, and comes to what one of them wants", async () => {
    const ages = [3600, 7200, 3600, 7200, 3600];
    await Promise.all(ages.map((age) => boot({ NATS_STREAM_MAX_AGE_S: age })));
    assert.ok([3600 * SECOND, 7200 * SECOND].includes((await stream()).max_age));
  });

  it("is left as it is by who may not change it, with a warning, if it takes facts", async () => {
    await boot();
    const { bus, lines } = await boot({ NATS_STREAM_MAX_AGE_S: 3600 }, "looker");
    assert.equal(lines.find(({ level }) => level === "warn")?.max_age, 3600 * SECOND);
    assert.equal((await stream()).max_age, 0);
    assert.equal(await bus.publish(factsOf(v7(), 1, 1)), 1);
    await manager.streams.update(STREAM, { subjects: ["orders.>"] });
    await assert.rejects(boot({}, "looker"), /stream DARKROOM on NATS cannot be changed to what the settings say/);
  });

  it("needs no more rights than to look at it, to make or change it, to publish and to hear", async () => {
    const made = await boot({}, "maker");
    const changed = await boot({ NATS_STREAM_MAX_AGE_S: 3600 }, "changer");
    assert.equal((await stream()).max_age, 3600 * SECOND);
    const id = v7();
    const heard: number[] = [];
    changed.bus.subscribe(id, ({ seq }) => void heard.push(seq));
    await changed.bus.check();
    assert.equal(await made.bus.publish(factsOf(id, 1, 1)), 1);
    await until(() => heard.length === 1);
  });

  it("stops the boot of who may not look at it, or not make it", async () => {
    await assert.rejects(boot({}, "looker"), /there is no stream DARKROOM on NATS, and this user may not make it/);
    await boot();
    await assert.rejects(boot({}, "stranger"), /this NATS user may not look at stream DARKROOM/);
    await assert.rejects(boot({}, "plain"), /NATS does not offer JetStream to this user's account/);
  });
});

describe("a NATS that takes only small messages", () => {
  it("stops the boot", async () => {
    const nats = await startNats({ config: async () => "max_payload: 64KB" });
    const { log } = recordingLog();
    await assert.rejects(
      createNatsBus({ config: { NATS_URL: nats.url }, source: "x", log }),
      /NATS takes no messages of \d+ bytes; raise its max_payload, which is 65536/,
    );
    await nats.stop();
  });
});
