/**
 * One HTTP request and its answer. It says what is known about the request afterwards:
 *
 *   answer     the other side answered, whatever it said
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
import type { LookupFunction } from "node:net";

/** `text` is cut at `maxBytes`; then it is not `whole`. */
export type Exchanged =
  | { kind: "answer"; status: number; headers: Headers; text: string; whole: boolean }
  | { kind: "not_sent" | "lost"; reason: string; error: unknown };

export type Request = {
  method: "GET" | "POST" | "PUT" | "DELETE";
  headers: Record<string, string>;
  payload?: string;
  signal: AbortSignal;
  /** Hard limit, should the signal have none, ms. */
  limitMs: number;
  /** Most that is read of the answer. */
  maxBytes: number;
  /** Finds the addresses of a host; asked by the connection itself, except for a host that is an address. */
  lookup?: LookupFunction;
};

export const reasonOf = (error: unknown): string => {
  const { code, message } = error as { code?: string; message?: string };
  return (code && message && !message.includes(code) ? `${code}: ${message}` : (message ?? String(error))).slice(
    0,
    200,
  );
};

const toHeaders = (incoming: http.IncomingHttpHeaders): Headers => {
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming)) {
    for (const each of [value ?? []].flat()) headers.append(name, each);
  }
  return headers;
};

/** Never rejects, never retries, follows no redirect. */
export const exchange = (url: URL, request: Request): Promise<Exchanged> =>
  new Promise((resolve) => {
    const { method, headers, payload, signal, limitMs, maxBytes, lookup } = request;
    const secure = url.protocol === "https:";
    // The event after which bytes may leave, verified on Bun and Deno with refused certificates too.
    const ready = secure ? "secureConnect" : "connect";
    let mayHaveLeft = false;
    let over = false;
    const sent = (secure ? https : http).request(url, {
      method,
      headers,
      // A GET may go over a connection that was used before; there a runtime may send it again, which does no harm.
      agent: method === "GET" ? undefined : false,
      ...(lookup && { lookup }),
    });
    const settle = (exchanged: Exchanged) => {
      over = true;
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      resolve(exchanged);
    };
    const fail = (error: unknown) =>
      settle({ kind: mayHaveLeft ? "lost" : "not_sent", reason: reasonOf(error), error });
    // Settled before it is destroyed: Deno takes that for a broken connection, and sends a GET again.
    const giveUp = (why: string) => {
      fail(new Error(why));
      sent.destroy();
    };
    const abort = () => giveUp("given up waiting for the answer");
    const timer = setTimeout(() => giveUp(`no answer in ${limitMs} ms`), limitMs);
    signal.addEventListener("abort", abort, { once: true });

    sent.on("socket", (socket) => {
      const left = () => {
        mayHaveLeft = true;
      };
      // A connection that was used before is ready, and will not say so again.
      if (socket.connecting) socket.once(ready, left);
      else left();
    });
    sent.on("error", fail);
    sent.on("close", () => fail(new Error("closed without an answer")));
    sent.on("response", (response) => {
      mayHaveLeft = true;
      if (over) return void response.destroy();
      const chunks: Buffer[] = [];
      let size = 0;
      const answer = (whole: boolean) => {
        const text = Buffer.concat(chunks).subarray(0, maxBytes).toString("utf8");
        const { statusCode: status = 0 } = response;
        settle({ kind: "answer", status, headers: toHeaders(response.headers), text, whole });
      };
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size <= maxBytes) return;
        answer(false);
        sent.destroy();
      });
      response.on("end", () => (response.complete ? answer(true) : fail(new Error("the answer ended early"))));
      response.on("error", fail);
      response.on("close", () => fail(new Error("the answer ended early")));
    });
    sent.end(payload);
  });
