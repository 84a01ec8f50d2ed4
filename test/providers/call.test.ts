import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { afterEach, describe, it } from "node:test";
import { createLog, type Log } from "../../src/log.ts";
import { isAllowed } from "../../src/providers/allowed.ts";
import { type CallerDeps, createCaller } from "../../src/providers/call.ts";
import { retryAfterMs } from "../../src/net/retry-after.ts";

const never = new AbortController().signal;
const log = createLog("silent");

type Wire = (socket: Socket, request: string, nth: number) => void;

/** A raw TCP server that sees requests as text and answers with what the test writes. */
const listen = async (wire: Wire, onConnect?: (socket: Socket) => void) => {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    onConnect?.(socket);
    socket.on("data", (data) => {
      const text = data.toString();
      if (!/^[A-Z]+ \//.test(text)) return;
      requests.push(text);
      wire(socket, text, requests.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = () =>
    new Promise<void>((resolve) => {
      for (const socket of sockets) socket.destroy();
      server.close(() => resolve());
    });
  return { url, requests, close };
};

const answer = (status: string, body = "", headers = "") =>
  `HTTP/1.1 ${status}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`;

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const setup = async (wire: Wire, more: Partial<CallerDeps> = {}, onConnect?: (socket: Socket) => void) => {
  const server = await listen(wire, onConnect);
  closers.push(server.close);
  const call = createCaller({
    baseUrl: server.url,
    headers: () => ({ Authorization: "Key id:secret" }),
    log,
    ...more,
  });
  return {
    ...server,
    call,
    post: (path = "m", signal = never) => call({ method: "POST", path, json: { a: 1 }, signal }),
  };
};

describe("a call that is answered", () => {
  it("gives status, headers, the parsed body and its text", async () => {
    const { post, requests } = await setup((socket) =>
      socket.end(answer("201 Created", '{"id":"x"}', "X-Thing: 7\r\n")),
    );
    const called = await post("a/b?c=d");
    assert.equal(called.kind, "answer");
    if (called.kind !== "answer") return;
    assert.deepEqual([called.status, called.body, called.text], [201, { id: "x" }, '{"id":"x"}']);
    assert.equal(called.headers.get("x-thing"), "7");
    assert.match(requests[0] ?? "", /^POST \/a\/b\?c=d HTTP\/1\.1\r\n/);
    assert.match(requests[0] ?? "", /authorization: key id:secret\r\n/i);
    assert.match(requests[0] ?? "", /content-type: application\/json\r\n/i);
    assert.match(requests[0] ?? "", /\{"a":1\}$/);
  });

  for (const [what, body] of [
    ["a web page", "<html><body>502 Bad Gateway</body></html>"],
    ["an empty body", ""],
    ["half of a JSON", '{"id":'],
  ]) {
    it(`takes ${what} for no JSON`, async () => {
      const { post } = await setup((socket) => socket.end(answer("502 Bad Gateway", body)));
      const called = await post();
      assert.deepEqual(called.kind === "answer" && [called.status, called.body, called.text], [502, null, body]);
    });
  }

  it("reads no more than it was told to", async () => {
    const { call } = await setup((socket) => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      socket.write("x".repeat(100_000));
    });
    const called = await call({ method: "GET", path: "/", signal: never, maxBytes: 10 });
    assert.deepEqual(called.kind === "answer" && [called.body, called.text], [null, "x".repeat(10)]);
  });

  it("is handed a redirect instead of following it", async () => {
    const { post, requests } = await setup((socket) => socket.end(answer("307 Temporary", "", "Location: /other\r\n")));
    const called = await post();
    assert.deepEqual([called.kind === "answer" && called.status, requests.length], [307, 1]);
  });
});

describe("a call that certainly did not leave", () => {
  const notSent = async (call: Promise<{ kind: string }>) => assert.equal((await call).kind, "not_sent");

  it("was refused", async () => {
    const { post, close } = await setup(() => {});
    await close();
    await notSent(post());
  });

  it("has no host", async () => {
    const { post } = await setup(() => {}, { baseUrl: "http://nobody.invalid" });
    await notSent(post());
    const secure = await setup(() => {}, { baseUrl: "https://nobody.invalid" });
    await notSent(secure.post());
  });

  it("was given up before it began", async () => {
    const { post, requests } = await setup((socket) => socket.end(answer("200 OK")));
    await notSent(post("m", AbortSignal.abort()));
    assert.equal(requests.length, 0);
  });

  it("found no TLS at the other end", async () => {
    const { url, close } = await listen(
      () => {},
      (socket) => socket.end("not TLS at all\n"),
    );
    closers.push(close);
    const { post } = await setup(() => {}, { baseUrl: url.replace("http:", "https:") });
    await notSent(post());
  });

  it("had a header that cannot be sent", async () => {
    const { post, requests } = await setup(() => {}, { headers: () => ({ Authorization: "Key a\nb" }) });
    const called = await post();
    await notSent(Promise.resolve(called));
    assert.doesNotMatch(JSON.stringify(called), /Key a/);
    assert.equal(requests.length, 0);
  });
});

describe("a call that may have arrived", () => {
  const lost = async (call: Promise<{ kind: string }>) => assert.equal((await call).kind, "lost");

  for (const [how, wire] of Object.entries<Wire>({
    "is reset": (socket) => socket.resetAndDestroy(),
    "is closed without an answer": (socket) => socket.end(),
    "gets an answer that is no HTTP": (socket) => socket.end("hello\r\n\r\n"),
    "gets half an answer": (socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc"),
    "gets half a chunk": (socket) => socket.end("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab"),
    "is reset within the answer": (socket) =>
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc", () => socket.resetAndDestroy()),
  })) {
    it(how, async () => {
      const { post } = await setup(wire);
      await lost(post());
    });
  }

  it("is not answered before the signal, or before its own limit", async () => {
    const { post } = await setup(() => {});
    await lost(post("m", AbortSignal.timeout(50)));
    const limited = await setup(() => {}, { limitMs: 50 });
    await lost(limited.post());
    const { url, close } = await listen((socket) => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc"));
    closers.push(close);
    const within = createCaller({ baseUrl: url, headers: () => ({}), log });
    await lost(within({ method: "GET", path: "x", signal: AbortSignal.timeout(50) }));
  });
});

describe("what may be billed", () => {
  for (const how of ["end", "resetAndDestroy"] as const) {
    it(`is sent once, whatever happens to the connection (${how}), also right after another call`, async () => {
      const { post, call, requests } = await setup((socket, text) =>
        text.startsWith("GET") ? socket.write(answer("200 OK", "{}")) : socket[how](),
      );
      await call({ method: "GET", path: "warm", signal: never });
      assert.equal((await post()).kind, "lost");
      assert.equal((await post()).kind, "lost");
      assert.equal(requests.filter((text) => text.startsWith("POST")).length, 2, "one request for each call");
    });
  }
});

describe("a host", () => {
  it("is allowed by its whole name or by what it is below of, at the default port unless one is named", () => {
    const base = new URL("https://api.example.com/v1");
    const is = (url: string, of = base) =>
      isAllowed(new URL(url), of, ["cdn.example.net", "*.files.example.net", "x.example:81"]);
    const good = [
      "https://api.example.com/x",
      "https://cdn.example.net/x",
      "https://a.b.files.example.net",
      "https://x.example:81/",
    ];
    for (const url of good) assert.equal(is(url), true, url);
    const bad = [
      "https://files.example.net",
      "https://evilfiles.example.net",
      "http://cdn.example.net",
      "https://cdn.example.net:81",
      "https://x.example",
      "http://api.example.com",
    ];
    for (const url of bad) assert.equal(is(url), false, url);
    assert.equal(is("http://cdn.example.net", new URL("http://127.0.0.1:4010")), true);
  });
});

describe("credentials", () => {
  it("go to the base URL's host and the allowed ones, and no request goes elsewhere", async () => {
    const { call, url, requests } = await setup((socket) => socket.end(answer("200 OK", "{}")), {
      allowedHosts: ["platform.example.com", "*.cdn.example.com"],
    });
    const of = async (to: string) => {
      const called = await call({ method: "GET", url: to, signal: never });
      return called.kind === "not_sent" ? called.reason : called.kind;
    };
    assert.equal(await of(`${url}/requests/1/status`), "answer");
    assert.equal(requests.length, 1);
    for (const refused of [
      "https://evil.example/requests/1/status",
      "https://platform.example.com.evil.example/x",
      "https://platform.example.com:8443/x",
      "https://user:pass@platform.example.com/x",
      "https://cdn.example.com.evil.example/",
      `${url.replace("127.0.0.1", "127.0.0.2")}/x`,
    ]) {
      assert.match(await of(refused), /not allowed/, refused);
    }
    for (const broken of ["ftp://platform.example.com/x", "not a url", "", "file:///etc/passwd"]) {
      assert.match(await of(broken), /not allowed|not a URL/, broken);
    }
    assert.equal(requests.length, 1);
  });

  it("are not sent in the clear when the base URL is https", async () => {
    const call = createCaller({
      baseUrl: "https://api.example.com",
      headers: () => ({ Authorization: "Key id:secret" }),
      allowedHosts: ["platform.example.com"],
      log,
    });
    const called = await call({ method: "GET", url: "http://platform.example.com/x", signal: never });
    assert.deepEqual(called, { kind: "not_sent", reason: "platform.example.com is not allowed" });
  });

  it("keep the base URL's path", async () => {
    const { requests, url } = await setup((socket) => socket.end(answer("200 OK", "{}")));
    const nested = createCaller({ baseUrl: `${url}/v1/`, headers: () => ({}), log });
    await nested({ method: "GET", path: "/predictions", signal: never });
    assert.match(requests[0] ?? "", /^GET \/v1\/predictions /);
  });

  it("stay out of the log, and so does the query with our webhook's address", async () => {
    const lines: unknown[] = [];
    const listening = { debug: (line: unknown) => void lines.push(line) } as unknown as Log;
    const { post, url } = await setup((socket) => socket.end(answer("200 OK", "{}", "X-Correlation-ID: c-1\r\n")), {
      log: listening,
    });
    await post("m?hf_webhook=https%3A%2F%2Fapp.example.com%2Fhooks%2Ftoken");
    const { ms, ...line } = lines[0] as Record<string, unknown>;
    assert.equal(typeof ms, "number");
    const expected = { method: "POST", host: new URL(url).host, path: "/m", status: 200, "x-correlation-id": "c-1" };
    assert.deepEqual(line, expected);
  });
});

describe("the wait that a provider asks for", () => {
  const NOW = Date.parse("2026-10-07T10:00:00Z");
  const after = (header: string | null, body: unknown = null) =>
    retryAfterMs(new Headers(header === null ? {} : { "retry-after": header }), body, NOW);

  it("is read from the header as seconds or as a date", () => {
    assert.equal(after("7"), 7000);
    assert.equal(after("0.5"), 500);
    assert.equal(after("Wed, 07 Oct 2026 10:00:30 GMT"), 30_000);
    assert.equal(after("Wed, 07 Oct 2026 09:00:00 GMT"), 0);
  });

  it("is read from the body when the header does not say", () => {
    assert.equal(after(null, { retry_after: 10 }), 10_000);
    assert.equal(after(null, { retry_after: "1.5" }), 1500);
    assert.equal(after(null, { detail: { code: "account_queue_full", retry_after: 3 } }), 3000);
    assert.equal(after("2", { retry_after: 10 }), 2000);
  });

  it("is absent when nobody says, and never longer than an hour", () => {
    for (const body of [null, "x", 7, [], { retry_after: null }, { retry_after: "soon" }, { detail: "wait" }]) {
      assert.equal(after(null, body), undefined);
    }
    assert.equal(after("soon"), undefined);
    assert.equal(after("99999999"), 3600_000);
  });
});
