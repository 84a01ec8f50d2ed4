/**
 * One HTTP call to a provider's API. It says what is known about the request afterwards:
 *
 *   answer     the provider answered, whatever it said
 *   not_sent   the request certainly did not leave: refused, no such host, unreachable, given up before it was connected
 *   lost       it may have arrived: timeout, reset, broken answer
 *
 * It speaks through node:http because `fetch` does not keep that promise: Deno's sends a POST a second time when the
 * peer closes before it answers, even the first one of a fresh connection (seen on 2.9.5), and each runtime reports a
 * refused connection in its own words. Whatever is not a GET goes out once, on a connection of its own.
 */
import { Buffer } from "node:buffer";
import http from "node:http";
import https from "node:https";
import type { Log } from "../log.ts";
import { isAllowed } from "./allowed.ts";

/** `body` is the parsed JSON, or null when it is none. `text` is cut at `maxBytes`, and `body` is null then. */
export type Answer = { kind: "answer"; status: number; headers: Headers; body: unknown; text: string };
export type Called = Answer | { kind: "not_sent"; reason: string } | { kind: "lost"; reason: string };

/** `path` is appended to the base URL; `url` is one that the provider returned, followed only where that is allowed. */
export type Call = ({ path: string; url?: undefined } | { url: string; path?: undefined }) & {
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** Besides the credentials. */
  headers?: Record<string, string>;
  /** Sent as JSON. */
  json?: unknown;
  signal: AbortSignal;
  /** Most that is read of the answer. Default 1 MiB. */
  maxBytes?: number;
};

/** Never rejects, never retries, follows no redirect. */
export type Caller = (call: Call) => Promise<Called>;

export type CallerDeps = {
  /** Without a trailing slash; may have a path. */
  baseUrl: string;
  /** The credentials. They are added here and nowhere else, and go to allowed hosts only. */
  headers(): Record<string, string>;
  /** Hosts besides the base URL's whose URLs are followed, with the credentials. See `isAllowed`. */
  allowedHosts?: readonly string[];
  log: Log;
  /** Hard limit of one call, should its signal have none. Default 60 s. */
  limitMs?: number;
};

const MAX_BYTES = 1024 * 1024;
const LIMIT_MS = 60_000;
const REQUEST_IDS = ["x-correlation-id", "x-fal-request-id", "x-request-id", "cf-ray"];

const reasonOf = (error: unknown): string => {
  const { code, message } = error as { code?: string; message?: string };
  return (code && message && !message.includes(code) ? `${code}: ${message}` : (message ?? String(error))).slice(
    0,
    200,
  );
};

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};

const toHeaders = (incoming: http.IncomingHttpHeaders): Headers => {
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming)) {
    for (const each of [value ?? []].flat()) headers.append(name, each);
  }
  return headers;
};

const requestIds = (headers: Headers) =>
  Object.fromEntries(REQUEST_IDS.flatMap((name) => (headers.has(name) ? [[name, headers.get(name)]] : [])));

/** Sends one request and reads its answer. */
const exchange = (
  url: URL,
  { method, signal, maxBytes = MAX_BYTES }: Call,
  headers: Record<string, string>,
  payload: string | undefined,
  limitMs: number,
): Promise<Called> =>
  new Promise((resolve) => {
    const secure = url.protocol === "https:";
    // The event after which bytes may leave, verified on Bun and Deno with refused certificates too.
    const ready = secure ? "secureConnect" : "connect";
    let mayHaveLeft = false;
    let over = false;
    const request = (secure ? https : http).request(url, {
      method,
      headers,
      // A GET may go over a connection that was used before; there a runtime may send it again, which does no harm.
      agent: method === "GET" ? undefined : false,
    });
    const settle = (called: Called) => {
      over = true;
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      resolve(called);
    };
    const fail = (error: unknown) => settle({ kind: mayHaveLeft ? "lost" : "not_sent", reason: reasonOf(error) });
    // Settled before it is destroyed: Deno takes that for a broken connection, and sends a GET again.
    const giveUp = (why: string) => {
      fail(new Error(why));
      request.destroy();
    };
    const abort = () => giveUp("given up waiting for the answer");
    const timer = setTimeout(() => giveUp(`no answer in ${limitMs} ms`), limitMs);
    signal.addEventListener("abort", abort, { once: true });

    request.on("socket", (socket) => {
      const left = () => {
        mayHaveLeft = true;
      };
      // A connection that was used before is ready, and will not say so again.
      if (socket.connecting) socket.once(ready, left);
      else left();
    });
    request.on("error", fail);
    request.on("close", () => fail(new Error("closed without an answer")));
    request.on("response", (response) => {
      mayHaveLeft = true;
      if (over) return void response.destroy();
      const chunks: Buffer[] = [];
      let size = 0;
      const answer = (whole: boolean) => {
        const text = Buffer.concat(chunks).subarray(0, maxBytes).toString("utf8");
        const body = whole ? parse(text) : null;
        settle({ kind: "answer", status: response.statusCode ?? 0, headers: toHeaders(response.headers), body, text });
      };
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size <= maxBytes) return;
        answer(false);
        request.destroy();
      });
      response.on("end", () => (response.complete ? answer(true) : fail(new Error("the answer ended early"))));
      response.on("error", fail);
      response.on("close", () => fail(new Error("the answer ended early")));
    });
    request.end(payload);
  });

/** Makes the one function through which an adapter talks to its provider's API. */
export const createCaller = ({ baseUrl, headers, allowedHosts = [], log, limitMs = LIMIT_MS }: CallerDeps): Caller => {
  const base = new URL(baseUrl);
  const root = baseUrl.replace(/\/+$/, "");

  return async (call) => {
    const { method, signal, json } = call;
    if (signal.aborted) return { kind: "not_sent", reason: "given up before it was sent" };
    const target = call.path === undefined ? call.url : `${root}/${call.path.replace(/^\/+/, "")}`;
    if (!URL.canParse(target)) return { kind: "not_sent", reason: "not a URL" };
    const url = new URL(target);
    if (!isAllowed(url, base, allowedHosts)) return { kind: "not_sent", reason: `${url.host} is not allowed` };

    const started = performance.now();
    let called: Called;
    try {
      const payload = json === undefined ? undefined : JSON.stringify(json);
      const sent = {
        Accept: "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": "darkroom",
        ...(method === "GET" ? {} : { "Content-Length": String(Buffer.byteLength(payload ?? "")) }),
        ...(payload === undefined ? {} : { "Content-Type": "application/json" }),
        ...call.headers,
        ...headers(),
      };
      called = await exchange(url, call, sent, payload, limitMs);
    } catch (error) {
      // Only what was wrong with the request itself gets here, such as a header with a line break.
      called = { kind: "not_sent", reason: reasonOf(error) };
    }
    // Never the query: it holds the address of our webhook.
    const said = called.kind === "answer" ? { status: called.status, ...requestIds(called.headers) } : called;
    log.debug(
      { method, host: url.host, path: url.pathname, ms: Math.round(performance.now() - started), ...said },
      "provider call",
    );
    return called;
  };
};
