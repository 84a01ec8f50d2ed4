import { Buffer } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import { room } from "./deno-connection.ts";

/** A body that brings less than this in half a minute while we wait for it is not worth the connection. */
const WINDOW_MS = 30_000;
const WINDOW_BYTES = 16 * 1024;

/**
 * The body, asked for chunk by chunk, so that a slow reader slows its sender down. What nobody wanted is read away after
 * the answer: the next request of the connection comes behind it.
 */
const bodyOf = (incoming: IncomingMessage, outgoing: ServerResponse): ReadableStream<Uint8Array> => {
  const chunks = incoming[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let received = 0;
  let waiting = 0;
  const watch = setInterval(() => {
    if (waiting > 0 && received < WINDOW_BYTES) incoming.destroy(new Error("the body does not come"));
    received = 0;
  }, WINDOW_MS);
  watch.unref();
  incoming.once("close", () => clearInterval(watch));
  const next = async () => {
    waiting++;
    const { done, value } = await chunks.next().finally(() => waiting--);
    received += value?.length ?? 0;
    return done ? null : value;
  };
  const readAway = async () => {
    while (!incoming.destroyed && (await next()));
  };
  outgoing.once("finish", () => void readAway().catch(() => undefined));
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
    const chunk = await next();
    if (chunk) controller.enqueue(chunk);
    else controller.close();
  };
  return new ReadableStream<Uint8Array>({ pull }, { highWaterMark: 0 });
};

/** Null for what names no resource: its target is no path, or its `Host` no name. */
const toRequest = (incoming: IncomingMessage, outgoing: ServerResponse): Request | null => {
  const { method = "GET", url = "", rawHeaders } = incoming;
  const target = url.startsWith("/") ? `http://${incoming.headers.host ?? "localhost"}${url}` : url;
  if (!URL.canParse(target)) return null;
  const left = new AbortController();
  outgoing.once("close", () => outgoing.writableFinished || left.abort());
  const headers = new Headers();
  for (let at = 0; at < rawHeaders.length; at += 2) headers.append(rawHeaders[at] ?? "", rawHeaders[at + 1] ?? "");
  const hasBody = headers.has("transfer-encoding") || Number(headers.get("content-length") ?? 0) > 0;
  // `duplex` is required for a streamed body and missing in the DOM's types.
  const init: RequestInit & { duplex: "half" } = { method, headers, signal: left.signal, duplex: "half" };
  if (hasBody && method !== "GET" && method !== "HEAD") init.body = bodyOf(incoming, outgoing);
  return new Request(target, init);
};

const stream = async (body: ReadableStream<Uint8Array>, outgoing: ServerResponse): Promise<void> => {
  const reader = body.getReader();
  const leave = () => void reader.cancel().catch(() => undefined);
  outgoing.once("close", leave);
  if (outgoing.destroyed) leave();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read())
      if (!outgoing.write(next.value)) await room(outgoing);
    outgoing.end();
  } catch {
    outgoing.destroy();
  }
};

/** As it comes when it is events or says how long it is, else as a whole. */
export const send = async (response: Response, outgoing: ServerResponse): Promise<void> => {
  const { status, headers, body } = response;
  outgoing.statusCode = status;
  for (const [name, value] of headers) if (name !== "set-cookie") outgoing.setHeader(name, value);
  if (headers.has("set-cookie")) outgoing.setHeader("set-cookie", headers.getSetCookie());
  const streamed = headers.has("content-length") || headers.get("content-type")?.startsWith("text/event-stream");
  if (!body || outgoing.req.method === "HEAD") {
    outgoing.end();
    await body?.cancel();
  } else if (streamed) await stream(body, outgoing);
  else outgoing.end(Buffer.from(await response.arrayBuffer()));
};

/** Answers one request of `node:http` by a web one; null: it was answered otherwise. */
export const answer = async (
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  ask: (request: Request) => Promise<Response | null>,
): Promise<void> => {
  const request = toRequest(incoming, outgoing);
  const response = request ? await ask(request) : new Response(null, { status: 400 });
  if (response) await send(response, outgoing);
};
