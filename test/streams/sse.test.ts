import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { Observable, Subject } from "rxjs";
import type { Message } from "../../src/streams/messages.ts";
import { sseResponse } from "../../src/streams/sse.ts";
import { createVirtualClock } from "./clock.ts";
import { until } from "./until.ts";
import { range } from "./watch.ts";

const MEBIBYTE = 1_048_576;

describe("a server-sent stream", () => {
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

  const open = ({
    expiresAt = null as number | null,
    messages = source as Observable<Message>,
    start = undefined as number | undefined,
  } = {}) => {
    const response = sseResponse({
      start,
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
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const decoder = new TextDecoder();
    const read = async () => decoder.decode((await reader.read()).value, { stream: true });
    const rest = async () => {
      let text = "";
      for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read())
        text += decoder.decode(value, { stream: true });
      return text;
    };
    return { response, reader, read, rest };
  };
  const message = (id: number, size = 0): Message => ({ id, event: "job.updated", json: `"${"x".repeat(size)}"` });
  const idsIn = (text: string) => [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
  /** Whatever way it ended, nothing of it is left. */
  const isReleased = (reason: string) => {
    assert.deepEqual(ends, [reason]);
    assert.equal(clock.pending(), 0);
    assert.equal(source.observed, false);
  };

  it("says what it is and that nobody may hold it up", () => {
    const { headers, status } = open().response;
    assert.equal(status, 200);
    assert.equal(headers.get("content-type"), "text/event-stream; charset=utf-8");
    assert.equal(headers.get("cache-control"), "no-cache, no-transform");
    assert.equal(headers.get("x-accel-buffering"), "no");
  });

  it("opens at once, with the pause before a reconnect", async () => {
    assert.equal(await open().read(), "retry: 2000\n: open\n\n");
  });

  it("gives a client that has seen nothing yet the cursor to come back with, and no event", async () => {
    assert.equal(await open({ start: 14 }).read(), "retry: 2000\nid: 14\n: open\n\n");
  });

  it("frames a message as id, event and one line of data", async () => {
    const { read } = open();
    await read();
    source.next({ id: 7, event: "job.updated", json: JSON.stringify({ text: "two\nlines\r\nénd 🦊\u2028" }) });
    assert.equal(await read(), 'id: 7\nevent: job.updated\ndata: {"text":"two\\nlines\\r\\nénd 🦊\u2028"}\n\n');
    source.next({ event: "queue", json: "{}" });
    assert.equal(await read(), "event: queue\ndata: {}\n\n");
  });

  it("beats every 15 s", async () => {
    const { read } = open();
    await read();
    clock.advance(14_999);
    clock.advance(1);
    assert.equal(await read(), ": hb\n\n");
    clock.advance(15_000);
    assert.equal(await read(), ": hb\n\n");
    assert.deepEqual(ends, []);
  });

  it("ends when its messages do", async () => {
    const { rest } = open();
    source.next(message(1));
    source.complete();
    assert.deepEqual(idsIn(await rest()), [1]);
    isReleased("complete");
  });

  it("ends when its messages fail, and says why to whoever logs it", async () => {
    const { rest } = open();
    source.next(message(1));
    source.error(new Error("the database is away"));
    assert.deepEqual(idsIn(await rest()), [1]);
    isReleased("error");
    assert.match(String(failures), /database is away/);
  });

  it("releases everything at once when the client leaves", async () => {
    const { reader } = open();
    await reader.read();
    assert.equal(source.observed, true);
    await reader.cancel();
    isReleased("client_left");
    source.next(message(1));
    stop.abort();
    isReleased("client_left");
  });

  it("ends with the node", async () => {
    const { rest } = open();
    source.next(message(1));
    stop.abort();
    const text = await rest();
    assert.deepEqual(idsIn(text), [1]);
    assert.ok(text.endsWith("retry: 740\n: the node is going away\n\n"), "it is told when to come back");
    isReleased("shutdown");
  });

  it("ends at once on a node that is already going", async () => {
    stop.abort();
    await open().rest();
    isReleased("shutdown");
  });

  it("tells that the token expired and ends", async () => {
    const { rest } = open({ expiresAt: clock.now() + 10_000 });
    source.next(message(1));
    clock.advance(10_000);
    const text = await rest();
    assert.ok(text.endsWith('event: auth\ndata: {"reason":"token_expired"}\n\n'), text);
    isReleased("token_expired");
  });

  it("tells so at once when the token had expired before", async () => {
    const { rest } = open({ expiresAt: clock.now() - 1 });
    clock.advance(0);
    assert.match(await rest(), /event: auth/);
    isReleased("token_expired");
  });

  it("closes a client that is too slow, with all that it was sent intact", async () => {
    const { rest } = open();
    for (let id = 1; ends.length === 0; id++) {
      assert.ok(id < 1000, "its buffer has no bound");
      source.next(message(id, 10_000));
    }
    isReleased("too_slow");
    const text = await rest();
    const ids = idsIn(text);
    assert.deepEqual(ids, range(1, ids.length));
    assert.ok(text.endsWith('"\n\n'));
    assert.ok(text.length > MEBIBYTE && text.length < MEBIBYTE + 20_000, `${text.length}`);
  });

  it("lets a message through that is larger than its buffer", async () => {
    const { rest } = open();
    source.next(message(1, 2 * MEBIBYTE));
    assert.deepEqual(ends, []);
    source.complete();
    assert.ok((await rest()).length > 2 * MEBIBYTE);
  });

  it("closes a client that takes nothing between two heartbeats", async () => {
    const { read, rest } = open();
    await read();
    for (let beats = 1; beats <= 3; beats++) {
      clock.advance(15_000);
      assert.equal(await read(), ": hb\n\n");
    }
    source.next(message(1));
    clock.advance(15_000);
    assert.deepEqual(ends, []);
    source.next(message(2));
    clock.advance(15_000);
    isReleased("too_slow");
    assert.deepEqual(idsIn(await rest()), [1, 2]);
  });

  it("paces a backfill by what the client takes", async () => {
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
    const { reader } = open({ messages: backfill });
    await until(() => written > 400);
    const seen: number[] = [];
    for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
      seen.push(...idsIn(new TextDecoder().decode(value)));
      assert.ok(written - seen.length < 600, `${written - seen.length} kB wait`);
    }
    assert.deepEqual(seen, range(1, 10_000));
    assert.equal(written, 10_000);
    isReleased("complete");
  });
});
