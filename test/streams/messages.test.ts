import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { Subject } from "rxjs";
import type { Fact } from "../../src/ports.ts";
import { createLog } from "../../src/log.ts";
import { createEnvelopes, eventName } from "../../src/streams/envelope.ts";
import type { Feed, FeedItem, FeedOptions } from "../../src/streams/feed.ts";
import type { Pulse } from "../../src/streams/pulse.ts";
import { createMessages, type Message, type MessagesOptions } from "../../src/streams/messages.ts";
import { until } from "./until.ts";
import { range } from "./watch.ts";

const factOf = (seq: number, type = "job.progressed"): Fact => ({
  id: `fact-${seq}`,
  stream: "stream",
  seq,
  owner: "owner",
  ownerSeq: seq,
  type,
  at: Date.UTC(2026, 0, 1),
  actorKind: "job",
  actorId: "job-1",
  data: { seq },
  traceparent: null,
});
const item = (fact: Fact): FeedItem => ({ kind: "fact", fact });

describe("the messages of a stream", () => {
  let source: Subject<FeedItem>;
  let pulses: Subject<Pulse>;
  let asked: FeedOptions[];
  let rendered: number;
  let render: (fact: Fact) => Promise<Record<string, unknown>>;
  beforeEach(() => {
    source = new Subject();
    pulses = new Subject();
    asked = [];
    rendered = 0;
    render = async ({ data }) => data;
  });

  const setup = () => {
    const feed: Feed = (_stream, options) => {
      asked.push(options);
      return source;
    };
    const envelopes = createEnvelopes({
      source: "https://darkroom.example",
      log: createLog("silent"),
      render: (fact) => {
        rendered++;
        return render(fact);
      },
    });
    return createMessages({ feed, envelopes, pulses: () => pulses });
  };
  const follow = (messages: ReturnType<typeof setup>, options: Partial<MessagesOptions> = {}) => {
    const seen: Message[] = [];
    const state = { error: undefined as Error | undefined, done: false };
    const subscription = messages({
      stream: "stream",
      cursor: 0,
      greet: false,
      snapshot: async () => ({ cursor: 5, data: { status: "RUNNING" } }),
      ...options,
    }).subscribe({
      next: (message) => void seen.push(message),
      error: (error) => {
        state.error = error;
      },
      complete: () => {
        state.done = true;
      },
    });
    return { seen, state, leave: () => subscription.unsubscribe(), ids: () => seen.map(({ id }) => id) };
  };

  it("are CloudEvents with the seq as their id", async () => {
    const { seen } = follow(setup());
    source.next(item(factOf(7, "job.succeeded")));
    await until(() => seen.length === 1);
    assert.equal(seen[0]?.id, 7);
    assert.equal(seen[0]?.event, "job.updated");
    assert.deepEqual(JSON.parse(seen[0]?.json ?? ""), {
      specversion: "1.0",
      id: "fact-7",
      source: "https://darkroom.example",
      type: "darkroom.job.succeeded",
      subject: "job-1",
      time: "2026-01-01T00:00:00.000Z",
      datacontenttype: "application/json",
      sequence: "7",
      ownersequence: "7",
      stream: "stream",
      data: { seq: 7 },
    });
  });

  it("have the names that the first service's clients know", () => {
    assert.equal(eventName("job.timed_out"), "job.updated");
    assert.equal(eventName("batch.partially_succeeded"), "batch.updated");
    assert.equal(eventName("attachment.ready"), "attachment.updated");
    assert.equal(eventName("chat.renamed"), "chat.updated");
    assert.equal(eventName("chat.deleted"), "chat.deleted");
    assert.equal(eventName("message.created"), "message.created");
  });

  it("are rendered once for all who watch", async () => {
    const messages = setup();
    const clients = Array.from({ length: 50 }, () => follow(messages));
    for (const seq of range(1, 20)) source.next(item(factOf(seq)));
    await until(() => clients.every(({ seen }) => seen.length === 20));
    assert.equal(rendered, 20);
    for (const { seen } of clients) assert.ok(seen[3]?.json === clients[0]?.seen[3]?.json);
  });

  it("stay in order however long each takes to render", async () => {
    render = async ({ seq }) => {
      for (let turns = 5 - seq; turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
      return {};
    };
    const { ids } = follow(setup());
    for (const seq of range(1, 5)) source.next(item(factOf(seq)));
    await until(() => ids().length === 5);
    assert.deepEqual(ids(), [1, 2, 3, 4, 5]);
  });

  it("go out without data when one cannot be rendered, so that its followers get past it", async () => {
    const good = render;
    render = async (fact) => {
      if (fact.seq === 2) throw new Error("its data is damaged");
      return good(fact);
    };
    const { seen, ids, state } = follow(setup());
    for (const seq of range(1, 3)) source.next(item(factOf(seq)));
    await until(() => ids().length === 3);
    assert.deepEqual(ids(), [1, 2, 3]);
    const { data, sequence } = JSON.parse(seen[1]?.json ?? "{}");
    assert.deepEqual([data, sequence], [{}, "2"]);
    assert.equal(state.error, undefined);
  });

  it("end before one that cannot be rendered at the moment: who comes back gets it whole", async () => {
    const good = render;
    let away = true;
    render = async (fact) => {
      if (fact.seq === 2 && away) throw Object.assign(new Error("the database is away"), { code: "CONNECTION_CLOSED" });
      return good(fact);
    };
    const make = setup();
    const second = item(factOf(2));
    const first = follow(make);
    source.next(item(factOf(1)));
    source.next(second);
    await until(() => first.state.error !== undefined);
    assert.deepEqual(first.ids(), [1]);
    away = false;
    const again = follow(make);
    source.next(second);
    await until(() => again.ids().length === 1);
    assert.notDeepEqual(JSON.parse(again.seen[0]?.json ?? "{}").data, {});
  });

  it("begin with a snapshot for who comes without a cursor, and go on after it", async () => {
    const { seen, ids } = follow(setup(), { cursor: null, greet: true });
    await until(() => asked.length === 1);
    assert.deepEqual(seen, [
      { id: 5, event: "snapshot", json: JSON.stringify({ cursor: 5, data: { status: "RUNNING" } }) },
    ]);
    assert.equal(asked[0]?.cursor, 5);
    source.next(item(factOf(6)));
    await until(() => ids().length === 2);
  });

  it("end after a snapshot of what is done", async () => {
    const snapshot = async () => ({ cursor: 9, data: {}, done: true });
    const { seen, state } = follow(setup(), { cursor: null, greet: true, snapshot });
    await until(() => state.done);
    assert.equal(seen.length, 1);
    assert.equal(asked.length, 0);
  });

  it("end after the last fact", async () => {
    const { ids, state } = follow(setup(), { isLast: ({ type }) => type === "job.succeeded" });
    source.next(item(factOf(1)));
    source.next(item(factOf(2, "job.succeeded")));
    source.next(item(factOf(3)));
    await until(() => state.done);
    assert.deepEqual(ids(), [1, 2]);
  });

  it("hold a fresh snapshot after a reset, and nothing that is in it already", async () => {
    const { seen, ids } = follow(setup(), { cursor: 99 });
    source.next({ kind: "reset", cursor: 3 });
    for (const seq of range(4, 7)) source.next(item(factOf(seq)));
    await until(() => ids().at(-1) === 7);
    assert.deepEqual(
      seen.map(({ id, event }) => [id, event]),
      [
        [5, "reset"],
        [6, "job.updated"],
        [7, "job.updated"],
      ],
    );
  });

  it("let a backfill wait until what it gave was rendered and taken", async () => {
    let release = () => {};
    render = () =>
      new Promise((resolve) => {
        release = () => resolve({});
      });
    let paces = 0;
    const { ids } = follow(setup(), {
      pace: async () => {
        paces++;
      },
    });
    source.next(item(factOf(1)));
    let ready = false;
    void asked[0]?.pace?.().then(() => {
      ready = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(ready, false);
    assert.equal(paces, 0);
    release();
    await until(() => ready);
    assert.deepEqual(ids(), [1]);
    assert.equal(paces, 1);
  });

  it("let go of a backfill when the client leaves", async () => {
    render = () => new Promise(() => {});
    const { leave } = follow(setup());
    source.next(item(factOf(1)));
    const ready = asked[0]?.pace?.();
    leave();
    await ready;
    assert.equal(source.observed, false);
  });

  it("end when more live facts wait to be rendered than may", async () => {
    render = () => new Promise(() => {});
    const { state } = follow(setup());
    for (const seq of range(1, 2_000)) source.next(item(factOf(seq)));
    await until(() => state.error !== undefined);
    assert.equal(source.observed, false);
  });

  const pulse = (subject: string, asOf: number): Pulse => ({
    subject,
    asOf,
    event: "job.progress",
    json: `"${subject}"`,
  });

  it("have pulses beside them, without an id, until they end", async () => {
    const { seen, state } = follow(setup(), { isLast: ({ type }) => type === "job.succeeded" });
    pulses.next(pulse("job-1", 0));
    source.next(item(factOf(1)));
    await until(() => seen.length === 2);
    assert.deepEqual(seen[0], { event: "job.progress", json: '"job-1"' });
    source.next(item(factOf(2, "job.succeeded")));
    await until(() => state.done);
    assert.equal(pulses.observed, false);
  });

  it("are not undone by a pulse that is older than a fact about the same", async () => {
    const { seen } = follow(setup());
    source.next(item(factOf(4)));
    await until(() => seen.length === 1);
    pulses.next(pulse("job-1", 3));
    assert.equal(seen.length, 1);
    pulses.next(pulse("job-2", 3));
    pulses.next(pulse("job-1", 4));
    assert.deepEqual(seen.map(({ json }) => json).slice(1), ['"job-2"', '"job-1"']);
  });

  it("are not undone by a pulse that is older than the snapshot", async () => {
    const { seen } = follow(setup(), { cursor: null, greet: true });
    await until(() => pulses.observed);
    pulses.next(pulse("job-1", 4));
    pulses.next(pulse("job-1", 5));
    assert.equal(seen.length, 2);
  });

  it("have the pulses of one subject alone, if asked", () => {
    const { seen } = follow(setup(), { subject: "job-1" });
    pulses.next(pulse("job-2", 0));
    pulses.next(pulse("job-1", 0));
    assert.deepEqual(
      seen.map(({ json }) => json),
      ['"job-1"'],
    );
  });

  it("let go of the pulses when the client leaves, and when the feed fails", async () => {
    const gone = follow(setup());
    gone.leave();
    assert.equal(pulses.observed, false);
    const { state } = follow(setup());
    source.error(new Error("the log is away"));
    await until(() => state.error !== undefined);
    assert.equal(pulses.observed, false);
  });
});
