import { failure, isPassing, unanswered } from "./failure.ts";
import { type Patience, patiently } from "./patience.ts";

/** Where Darkroom is, and who asks. */
export type Server = {
  /** E.g. `https://darkroom.example`. */
  baseUrl: string;
  /** Sent with every request, e.g. `authorization`. */
  headers?: Record<string, string>;
};

const LIMIT_MS = 60_000;

const refused = async (response: Response) => {
  const problem = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  const message = problem.detail ?? problem.title ?? `The answer was ${response.status}`;
  return failure(String(message), {
    code: String(problem.code ?? "unknown"),
    status: response.status,
    retryable: typeof problem.retryable === "boolean" ? problem.retryable : isPassing(response.status),
    afterMs: 1000 * (Number(response.headers.get("retry-after")) || 0),
  });
};

/** Asks Darkroom, JSON in and out, patiently. Rejects with a `Failure`, or with the signal's reason. */
export const createCall =
  ({ baseUrl, headers }: Server, patience: Patience) =>
  <T>(method: string, path: string, body?: unknown): Promise<T> =>
    patiently(async () => {
      const signal = AbortSignal.any([patience.signal, AbortSignal.timeout(LIMIT_MS)]);
      const sent = new Headers(headers);
      if (body !== undefined) sent.set("content-type", "application/json");
      const request = { method, headers: sent, body: JSON.stringify(body), signal };
      const response = await fetch(`${baseUrl.replace(/\/+$/, "")}${path}`, request).catch((error: unknown) => {
        throw unanswered(error);
      });
      if (!response.ok) throw await refused(response);
      return (await response.json().catch((error: unknown) => {
        throw unanswered(error);
      })) as T;
    }, patience);
export type Call = ReturnType<typeof createCall>;
