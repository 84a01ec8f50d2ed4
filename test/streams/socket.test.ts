import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { Observable, Subject } from "rxjs";
import type { Message } from "../../src/streams/messages.ts";
import type { SocketClient } from "../../src/streams/session.ts";
import { socketSession } from "../../src/streams/socket.ts";
import { createVirtualClock } from "./clock.ts";
import { until } from "./until.ts";
import { range } from "./watch.ts";

const MEBIBYTE = 1_048_576;

/** A connection whose other end takes bytes when the test says so. */
const createConnection = () => {
  const sent: string[] = [];
  let buffered = 0;
  let stalled = false;
  let gone = false;
  const closes: [number, string][] = [];
  let pings = 0;
  const client: SocketClient = {
    send: (text) => {
      if (gone) return 0;
      sent.push(text);
      if (stalled) buffered += text.length;
      return stalled ? -1 : text.length;
    },
    close: (code, reason) => void closes.push([code, reason]),
    buffered: () => buffered,
    ping: () => void pings++,
  };
  return {
    client,
    sent,
    closes,
    pings: () => pings,
    stall: () => {
      stalled = true;
    },
    /** The other end takes some bytes. */
    take: (bytes: number) => {
      buffered = Math.max(0, buffered - bytes);
    },
    buffered: () => buffered,
    break: () => {
      gone = true;
    },
  };
};

describe("a WebSocket session", () => {
  let clock: ReturnType<typeof createVirtualClock>;
  let source: Subject<Message>;
  let stop: AbortController;
  let ends: string[];
  let failures: unknown[];
  let pace: () => Promise<void>;
  beforeEach(() => {
    clock = createVirtualClock();
    source = new Subject();
    stop = new AbortController();
    ends = [];
    failures = [];
  });

  const open = ({ expiresAt = null as number | null, messages = source as Observable<Message> } = {}) => {
    const session = socketSession({
      clock,
      expiresAt,
      signal: stop.signal,
      backInMs: () => 740,
      onClose: (reason) => void ends.push(reason),
      onError: (error) => void failures.push(error),
      messages: (asked) => {
        pace = asked;
        return messages;
      },
    });
    const connection = createConnection();
    session.open(connection.client);
    return { session, ...connection };
  };
  const message = (id: number, size = 0): Message => ({
    id,
    event: "job.updated",
    json: JSON.stringify({ sequence: String(id), text: "x".repeat(size) }),
  });
  const seqs = (sent: string[]) => sent.map((text) => Number(JSON.parse(text).sequence));
  const isReleased = (reason: string) => {
    assert.deepEqual(ends, [reason]);
    assert.equal(clock.pending(), 0);
    assert.equal(source.observed, false);
  };

  it("sends an event as its envelope", () => {
    const { sent } = open();
    source.next({ id: 3, event: "job.updated", json: '{"specversion":"1.0"}' });
    assert.deepEqual(sent, ['{"specversion":"1.0"}']);
  });

  it("names what is not in the log", () => {
    const { sent } = open();
    source.next({ id: 3, event: "snapshot", json: '{"cursor":3,"data":{}}' });
    source.next({ id: 4, event: "reset", json: '{"cursor":4,"data":{}}' });
    assert.deepEqual(sent, ['{"event":"snapshot","cursor":3,"data":{}}', '{"event":"reset","cursor":4,"data":{}}']);
  });

  it("pings every 15 s", () => {
    const { pings } = open();
    clock.advance(45_000);
    assert.equal(pings(), 3);
  });

  it("closes with 1000 when its messages end", () => {
    const { closes } = open();
    source.complete();
    assert.equal(closes[0]?.[0], 1000);
    isReleased("complete");
  });

  it("closes with 1011 when its messages fail, and says why to whoever logs it", () => {
    const { closes } = open();
    source.error(new Error("the database is away"));
    assert.equal(closes[0]?.[0], 1011);
    assert.doesNotMatch(String(closes), /database/);
    assert.match(String(failures), /database is away/);
    isReleased("error");
  });

  it("closes with 1001 when the node goes away, and says when to come back", () => {
    const { closes } = open();
    stop.abort();
    assert.deepEqual(closes, [[1001, "the node is going away; reconnect in 740 ms"]]);
    isReleased("shutdown");
  });

  it("closes with 1001 when it opens on a node that is already going", () => {
    stop.abort();
    assert.equal(open().closes[0]?.[0], 1001);
    isReleased("shutdown");
  });

  it("tells that the token expired and closes with 4001", () => {
    const { sent, closes } = open({ expiresAt: clock.now() + 1000 });
    clock.advance(1000);
    assert.deepEqual(sent, ['{"event":"auth","data":{"reason":"token_expired"}}']);
    assert.equal(closes[0]?.[0], 4001);
    isReleased("token_expired");
  });

  it("releases everything at once when the client leaves", () => {
    const { session, closes } = open();
    session.close();
    isReleased("client_left");
    stop.abort();
    session.close();
    isReleased("client_left");
    assert.deepEqual(closes, []);
  });

  it("is released without ever having been opened", () => {
    const session = socketSession({
      clock,
      expiresAt: null,
      signal: stop.signal,
      backInMs: () => 740,
      onClose: (reason) => void ends.push(reason),
      messages: () => source,
    });
    session.close();
    isReleased("client_left");
  });

  it("closes a client that is too slow with 4008, after what it was sent", () => {
    const { sent, closes, stall } = open();
    stall();
    for (let id = 1; ends.length === 0; id++) {
      assert.ok(id < 1000, "its buffer has no bound");
      source.next(message(id, 10_000));
    }
    assert.equal(closes[0]?.[0], 4008);
    isReleased("too_slow");
    assert.deepEqual(seqs(sent), range(1, sent.length));
    assert.ok(sent.join("").length < MEBIBYTE + 20_000);
  });

  it("never leaves a hole: a frame that was dropped is the last", () => {
    const connection = open();
    source.next(message(1));
    connection.break();
    source.next(message(2));
    isReleased("too_slow");
  });

  it("lets a message through that is larger than its buffer", () => {
    const { stall } = open();
    stall();
    source.next(message(1, 2 * MEBIBYTE));
    assert.deepEqual(ends, []);
  });

  it("paces a backfill by what the client takes, also when a drain was only partial", async () => {
    let written = 0;
    const backfill = new Observable<Message>((client) => {
      void (async () => {
        for (let id = 1; id <= 10_000 && !client.closed; id++) {
          client.next(message(id, 1_000));
          written++;
          await pace();
        }
        client.complete();
      })();
    });
    const { session, sent, stall, take, buffered } = open({ messages: backfill });
    stall();
    await until(() => written > 400);
    while (ends.length === 0) {
      take(30_000);
      session.drain();
      await Promise.resolve();
      assert.ok(buffered() < 0.6 * MEBIBYTE, `${buffered()} bytes wait`);
      if (buffered() < MEBIBYTE / 4) await until(() => buffered() > MEBIBYTE / 4 || ends.length > 0);
    }
    assert.deepEqual(seqs(sent), range(1, 10_000));
    isReleased("complete");
  });
});
