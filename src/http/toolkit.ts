import { Elysia, NotFoundError } from "elysia";
import type { Config } from "../config.ts";
import { Problem } from "../errors.ts";
import type { Log } from "../log.ts";
import { isJson, parseJson, readBody } from "./body.ts";
import { classify, loggable } from "./classify.ts";
import { createEdge } from "./edge.ts";
import type { Exchanges } from "./exchange.ts";
import { createHostCheck } from "./hosts.ts";
import { methodsOf } from "./methods.ts";
import type { Metrics } from "./metrics.ts";
import { createCors, type Origins } from "./origins.ts";
import { renderProblem } from "./problems.ts";
import { targetOf } from "./target.ts";

const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);
const BODYLESS = new Set([204, 205, 304]);
const HEALTH = new Set(["/health", "/healthz", "/livez"]);

/**
 * The app that slices are mounted on: `createBase(deps).use(chats).use(jobs)`. Before a route runs it
 * checks the host, the origin of writes and the body's size, then reads JSON with a limit. Whatever is
 * thrown leaves as a problem document. A slice answers with plain values or throws `Problem`.
 */
export const createBase = (deps: {
  config: Pick<Config, "PUBLIC_URL" | "ALLOWED_HOSTS" | "BODY_LIMIT_BYTES">;
  log: Log;
  metrics: Metrics;
  exchanges: Exchanges;
  origins: Origins;
  /** Routes whose bodies are left as they come, in `rawBody`. */
  raw: ReadonlySet<string>;
}) => {
  const { config, exchanges, origins, log } = deps;
  const hostAllowed = createHostCheck(config);
  const edge = createEdge({ exchanges, log, metrics: deps.metrics, publicUrl: config.PUBLIC_URL });
  const mark = (request: Request, route: string | undefined) => {
    if (route) exchanges.of(request).route = route.replace(/(?<=.)\/$/, "");
  };
  const base = new Elysia({ name: "toolkit" });
  return base
    .wrap(edge as unknown as Parameters<typeof base.wrap>[0])
    .onRequest(({ request }) => {
      if (!HEALTH.has(targetOf(request).path) && !hostAllowed(request)) throw new Problem("host_not_allowed");
    })
    .use(createCors(origins))
    .onRequest(({ request }) => {
      if (!SAFE.has(request.method) && !origins.trusted(request)) throw new Problem("origin_not_allowed");
      if (Number(request.headers.get("content-length") ?? 0) > config.BODY_LIMIT_BYTES)
        throw new Problem("too_large", `The limit is ${config.BODY_LIMIT_BYTES} bytes`);
      const { path, query } = targetOf(request);
      if (path.includes("%00")) throw new Problem("not_found");
      if (query.includes("%00")) throw new Problem("validation_failed", "The query must not contain NUL characters");
    })
    .onParse({ as: "global" }, async ({ request, route, contentType }) => {
      mark(request, route);
      const bytes = await readBody(request, config.BODY_LIMIT_BYTES);
      // No body counts as {}: HTTP libraries announce JSON even where there is nothing to send, and the
      // runtimes do not agree on whether an empty body is one.
      if (bytes.byteLength === 0) return {};
      if (deps.raw.has(route)) {
        exchanges.of(request).rawBody = bytes;
        return {};
      }
      if (!isJson(contentType)) throw new Problem("unsupported_media_type", "Send application/json");
      const body = parseJson(bytes);
      // Elysia would take an array for an object without properties.
      if (typeof body !== "object" || body === null || Array.isArray(body))
        throw new Problem("validation_failed", "The body must be a JSON object", {
          errors: [{ path: "", message: "Must be an object" }],
        });
      return body;
    })
    .onTransform({ as: "global" }, ({ request, route }) => mark(request, route))
    .mapResponse({ as: "global" }, ({ responseValue, set }) => {
      // Elysia would send "", which Deno refuses together with these.
      if (responseValue !== undefined || !BODYLESS.has(Number(set.status))) return undefined;
      return new Response(null, { status: Number(set.status) });
    })
    .onError({ as: "global" }, ({ error, request, route }) => {
      mark(request, route);
      const exchange = exchanges.of(request);
      const at = { request, requestId: exchange.id, publicUrl: config.PUBLIC_URL };
      const problem = classify(error);
      if (problem.status >= 500)
        log[problem.code === "internal" ? "error" : "warn"](
          { request_id: exchange.id, route: exchange.route, code: problem.code, err: loggable(error) },
          "a request failed",
        );
      const unmatched = error instanceof NotFoundError && !route;
      const allow = unmatched ? methodsOf(base.routes, targetOf(request).path) : [];
      if (allow.length > 0) return renderProblem(new Problem("method_not_allowed"), { ...at, allow });
      return renderProblem(problem, at);
    });
};
