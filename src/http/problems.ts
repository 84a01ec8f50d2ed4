import type { Problem } from "../errors.ts";
import { targetOf } from "./target.ts";

const DEFAULT_RETRY_AFTER_S = 1;

/** The URI of a kind of problem; it opens its entry in the docs. */
export const problemType = (publicUrl: string, code: string) => `${publicUrl}/docs/errors#${code}`;

const challenge = (request: Request): string =>
  request.headers.has("authorization") ? 'Bearer realm="darkroom", error="invalid_token"' : 'Bearer realm="darkroom"';

/** The RFC 9457 document of a problem. `instance`: the path that it occurred at. */
export const problemBody = (
  problem: Problem,
  at: { instance: string; requestId: string; publicUrl: string },
): Record<string, unknown> => ({
  type: problemType(at.publicUrl, problem.code),
  title: problem.title,
  status: problem.status,
  ...(problem.detail === undefined ? {} : { detail: problem.detail }),
  code: problem.code,
  retryable: problem.retryable,
  instance: at.instance,
  ...(problem.extra.errors ? { errors: problem.extra.errors } : {}),
  request_id: at.requestId,
});

/**
 * Renders a problem as RFC 9457 `application/problem+json`. 503 and 429 carry `Retry-After` in
 * seconds, 401 a `WWW-Authenticate` challenge, 405 the `allow`ed methods.
 */
export const renderProblem = (
  problem: Problem,
  at: { request: Request; requestId: string; publicUrl: string; allow?: string[] },
): Response => {
  const headers = new Headers({ "content-type": "application/problem+json", "cache-control": "no-store" });
  if (problem.retryable && (problem.status === 503 || problem.status === 429))
    headers.set("retry-after", String(Math.ceil(problem.extra.retryAfter ?? DEFAULT_RETRY_AFTER_S)));
  if (problem.status === 401) headers.set("www-authenticate", challenge(at.request));
  if (at.allow) headers.set("allow", at.allow.join(", "));
  const body = problemBody(problem, { ...at, instance: targetOf(at.request).path });
  return new Response(JSON.stringify(body), { status: problem.status, headers });
};
