/** One HTTP call to a provider's API, with its credentials, to its hosts only. What is known afterwards: net/exchange.ts. */
import { Buffer } from "node:buffer";
import type { Log } from "../log.ts";
import { exchange, reasonOf } from "../net/exchange.ts";
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

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};

const requestIds = (headers: Headers) =>
  Object.fromEntries(REQUEST_IDS.flatMap((name) => (headers.has(name) ? [[name, headers.get(name)]] : [])));

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
      const { maxBytes = MAX_BYTES } = call;
      const exchanged = await exchange(url, { method, headers: sent, payload, signal, limitMs, maxBytes });
      if (exchanged.kind === "answer") {
        const { kind, status, headers: answered, text, whole } = exchanged;
        called = { kind, status, headers: answered, body: whole ? parse(text) : null, text };
      } else called = { kind: exchanged.kind, reason: exchanged.reason };
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
