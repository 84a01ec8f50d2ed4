/**
 * The base of the provider emulators: a real HTTP server with routes, a ledger of billable submits, a log of all
 * requests, faults on demand, hooks around submits, and output files. What a provider is like is said by its routes.
 */
import { Buffer } from "node:buffer";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createFaults, HTML, type How } from "./kit-faults.ts";
import { createOutputs } from "./kit-outputs.ts";

/** A request as routes, faults and tests see it. `on` names the operation: submit, status, result, cancel, upload, output … */
export type Asked = {
  on: string;
  method: string;
  path: string;
  query: URLSearchParams;
  headers: Headers;
  body: Buffer;
  /** The body as JSON; undefined when it is none. */
  json: unknown;
  at: number;
  /** What the route's pattern captured. */
  captured: string[];
};

/** Default status 200. `json` wins over `body`. */
export type Reply = {
  status?: number;
  headers?: Record<string, string>;
  json?: unknown;
  body?: string | Buffer | Readable;
};

/** One billable submit. `key` is the idempotency key it came with; `webhook` the address it asked to be told at. */
export type Bill = {
  id: string;
  key: string | null;
  at: number;
  endpoint: string;
  body: unknown;
  webhook: string | null;
};

export type Stage = "before_read" | "before_answer" | "after_answer";
export type SubmitHook = (asked: Asked) => void | Promise<void>;

export type EmulatorOptions = {
  /** Default: a free one. */
  port?: number;
  /** Every answer takes this long. Default 0. */
  latencyMs?: number;
  /** Milliseconds since the epoch. Default the real clock. */
  now?: () => number;
  /** Told of every answer, in one line. */
  log?: (line: string) => void;
};

type Answering = (asked: Asked) => Reply | Promise<Reply>;
type Route = { on: string; method: string; pattern: RegExp; answer: Answering };

const KEPT_REQUESTS = 20_000;
const MAX_BODY = 64 * 1024 * 1024;

const headersOf = (incoming: IncomingMessage): Headers => {
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    for (const each of [value ?? []].flat()) headers.append(name, each);
  }
  return headers;
};

const readBody = async (incoming: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) throw new Error("the body is too large for an emulator");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

const parse = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
};

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

const write = async (outgoing: ServerResponse, reply: Reply) => {
  const { status = 200, headers = {}, json, body = "" } = reply;
  const payload = json === undefined ? body : JSON.stringify(json);
  const type = json === undefined ? {} : { "content-type": "application/json" };
  if (typeof payload === "string" || Buffer.isBuffer(payload)) {
    outgoing.writeHead(status, { ...type, "content-length": String(Buffer.byteLength(payload)), ...headers });
    outgoing.end(payload);
  } else {
    outgoing.writeHead(status, headers);
    await pipeline(payload, outgoing);
  }
};

/** Starts a server on 127.0.0.1 that knows only `/outputs/…`; add the provider's routes with `route`. Close it. */
export const createEmulator = async ({
  port = 0,
  latencyMs = 0,
  now = Date.now,
  log = () => {},
}: EmulatorOptions = {}) => {
  const routes: Route[] = [];
  const requests: Asked[] = [];
  const ledger: Bill[] = [];
  const hooks: { stage: Stage; run: SubmitHook }[] = [];
  const faults = createFaults();
  let guard: (asked: Asked) => Reply | null = () => null;
  let everyAnswer: (asked: Asked) => Record<string, string> = () => ({});
  let otherwise: Answering = () => ({ status: 404, json: { detail: "Not found" } });
  let url = "";
  const outputs = createOutputs(() => url);

  const runHooks = async (stage: Stage, asked: Asked) => {
    if (asked.on !== "submit") return;
    for (const hook of hooks.filter((each) => each.stage === stage)) await hook.run(asked);
  };

  const find = (method: string, path: string) => {
    for (const route of routes) {
      const found = route.method === method ? route.pattern.exec(path) : null;
      if (found) return { route, captured: found.slice(1).map((part) => part ?? "") };
    }
    return null;
  };

  const carryOut = async (asked: Asked, answer: Answering): Promise<Reply> => guard(asked) ?? (await answer(asked));

  /** The answer under a fault; null means that the connection breaks, "never" that nothing comes. */
  const answerWith = async (how: How | null, asked: Asked, answer: Answering): Promise<Reply | null | "never"> => {
    if (how === null) return carryOut(asked, answer);
    if (how === "reset_before_read") return null;
    if (how === "hang") return "never";
    if (how === "html") return HTML;
    if (how === "empty") return { status: 200, body: "" };
    if (typeof how === "object" && how.delayMs === undefined) {
      if (how.carriedOut) await carryOut(asked, answer);
      return how;
    }
    const reply = await carryOut(asked, answer);
    if (how === "reset_after_accept") return null;
    if (how === "hang_after_accept") return "never";
    await sleep(how.delayMs);
    return reply;
  };

  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { pathname, searchParams } = new URL(incoming.url ?? "/", "http://localhost");
    const method = incoming.method ?? "GET";
    const found = find(method, pathname);
    const isOutput = !found && pathname.startsWith("/outputs/");
    const asked: Asked = {
      on: found?.route.on ?? (isOutput ? "output" : "unknown"),
      method,
      path: pathname,
      query: searchParams,
      headers: headersOf(incoming),
      body: Buffer.alloc(0),
      json: undefined,
      at: now(),
      captured: found?.captured ?? [],
    };
    requests.push(asked);
    if (requests.length > KEPT_REQUESTS) requests.shift();
    await runHooks("before_read", asked);
    const struck = faults.take(asked);
    if (struck === "reset_before_read") return void incoming.socket.resetAndDestroy();
    asked.body = await readBody(incoming);
    asked.json = parse(asked.body);
    if (latencyMs > 0) await sleep(latencyMs);
    const answer: Answering = isOutput ? () => outputs.serve(pathname) : (found?.route.answer ?? otherwise);
    const reply = await answerWith(struck, asked, answer);
    await runHooks("before_answer", asked);
    if (reply === "never") return;
    if (reply === null) return void incoming.socket.resetAndDestroy();
    log(`${reply.status ?? 200} ${asked.on}: ${method} ${pathname}`);
    const common = isOutput ? {} : everyAnswer(asked);
    await write(outgoing, { ...reply, headers: { ...common, ...reply.headers } });
    await runHooks("after_answer", asked);
  };

  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch(() => incoming.socket.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url,
    now,
    /** Billable submits, oldest first. Routes add to it with `bill`. */
    ledger: ledger as readonly Bill[],
    /** Every request, oldest first; the last 20,000. */
    requests: requests as readonly Asked[],
    faults,
    outputs,
    /** Answers `method` on paths that `pattern` matches; the first route that matches wins. */
    route(on: string, method: string, pattern: RegExp, answer: Answering): void {
      routes.push({ on, method, pattern, answer });
    },
    /** Runs before every route (not before outputs), for credentials: a reply refuses the request. */
    guard(refuse: (asked: Asked) => Reply | null): void {
      guard = (asked) => (asked.on === "output" ? null : refuse(asked));
    },
    /** Headers of every answer but the outputs', such as a request id. */
    everyAnswer(headers: (asked: Asked) => Record<string, string>): void {
      everyAnswer = headers;
    },
    /** The answer where no route matches. Default 404 `{"detail":"Not found"}`. */
    otherwise(answer: Answering): void {
      otherwise = answer;
    },
    bill(bill: Omit<Bill, "at">): Bill {
      const entry = { ...bill, at: now() };
      ledger.push(entry);
      return entry;
    },
    /** Calls back around each submit, and waits for it: before its body is read, when it is carried out but not answered, and when it is answered. */
    onSubmit(stage: Stage, run: SubmitHook): () => void {
      const hook = { stage, run };
      hooks.push(hook);
      return () => void hooks.splice(hooks.indexOf(hook), 1);
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

export type Emulator = Awaited<ReturnType<typeof createEmulator>>;
