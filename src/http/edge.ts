import { v7 } from "uuid";
import { Problem } from "../errors.ts";
import type { Log } from "../log.ts";
import { loggable } from "./classify.ts";
import type { Exchange, Exchanges } from "./exchange.ts";
import type { Metrics } from "./metrics.ts";
import { renderProblem } from "./problems.ts";
import { traceIdOf } from "./traceparent.ts";

type Handle = (request: Request) => Response | Promise<Response>;

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
const PROBES = new Set(["/health", "/healthz", "/livez", "/metrics"]);

// Elysia's own HEAD reads the whole answer to count it, and a live stream has no end.
const inward = (request: Request): Request =>
  request.method === "HEAD" ? new Request(request, { method: "GET" }) : request;

const requestId = (request: Request): string => {
  const given = request.headers.get("x-request-id") ?? "";
  return /^[\w-]{1,64}$/.test(given) ? given : v7();
};

const withHeaders = (response: Response, exchange: Exchange): Response => {
  const put = (headers: Headers) => {
    const fallback = (name: string, value: string) => headers.has(name) || headers.set(name, value);
    headers.set("x-request-id", exchange.id);
    headers.set("x-content-type-options", "nosniff");
    headers.set("referrer-policy", "no-referrer");
    fallback("cache-control", "no-store");
    if (!headers.get("content-type")?.startsWith("text/html")) return;
    headers.set("x-frame-options", "DENY");
    fallback("content-security-policy", "frame-ancestors 'none'");
  };
  try {
    put(response.headers);
    return response;
  } catch {
    // The headers of a fetched response are immutable.
    const copy = new Response(response.body, response);
    put(copy.headers);
    return copy;
  }
};

/**
 * Wraps the whole app, so that it sees every answer, Elysia's own and failures included: request id
 * in and out, HEAD by way of GET, security headers, one access line and one duration per request. The
 * line holds the route's pattern and never a query, a header or a body.
 */
export const createEdge =
  (deps: { exchanges: Exchanges; log: Log; metrics: Pick<Metrics, "httpSeconds">; publicUrl: string }) =>
  (next: Handle): ((request: Request) => Promise<Response>) =>
  async (outer) => {
    const request = inward(outer);
    const exchange = deps.exchanges.open(request, requestId(outer));
    let response: Response;
    try {
      response = await next(request);
    } catch (error) {
      deps.log.error({ request_id: exchange.id, err: loggable(error) }, "the app threw");
      const problem = new Problem("internal");
      response = renderProblem(problem, { request, requestId: exchange.id, publicUrl: deps.publicUrl });
    }
    response = withHeaders(response, exchange);
    if (outer.method === "HEAD") {
      response.body?.cancel().catch(() => {});
      response = new Response(null, response);
    }
    const ms = performance.now() - exchange.startedAt;
    const method = METHODS.has(outer.method) ? outer.method : "OTHER";
    const route = exchange.route ?? "unmatched";
    deps.metrics.httpSeconds.observe({ method, route, status: String(response.status) }, ms / 1000);
    const line = {
      event: "http_request",
      request_id: exchange.id,
      trace_id: traceIdOf(exchange.traceparent),
      method,
      route,
      status: response.status,
      ms: Math.round(ms * 10) / 10,
      ...(exchange.principal ? { user_id: exchange.principal.userId } : {}),
    };
    deps.log[PROBES.has(route) ? "debug" : "info"](line);
    return response;
  };
