import { createHash } from "node:crypto";
import { Problem } from "../errors.ts";
import { targetOf } from "./target.ts";

/** One request as the commit remembers it: scope (`userId`, `route`, `key`) and what was asked. */
export type Idempotency = { userId: string; route: string; key: string; bodyHash: string };

/** JSON with sorted keys, so that equal values have equal texts. */
export const canonical = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item ?? null)).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value ?? null);
  const entries = Object.entries(value).filter(([, child]) => child !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, child]) => `${JSON.stringify(key)}:${canonical(child)}`).join(",")}}`;
};

/**
 * Reads the required `Idempotency-Key` header (1 to 255 visible ASCII characters; `bad_request`
 * otherwise). `route` is the pattern, such as `POST /options/:id/generate`. The hash covers the path
 * beside the body, so one key used on two resources is a reuse, never a replay of the other's answer.
 */
export const idempotency = (request: Request, userId: string, route: string, body: unknown): Idempotency => {
  const key = request.headers.get("idempotency-key");
  if (!key) throw new Problem("bad_request", "The Idempotency-Key header is required");
  if (!/^[\x21-\x7e]{1,255}$/.test(key))
    throw new Problem("bad_request", "The Idempotency-Key header must be 1 to 255 visible ASCII characters");
  const { path } = targetOf(request);
  const bodyHash = createHash("sha256")
    .update(canonical([path.replace(/\/+$/, ""), body]))
    .digest("hex");
  return { userId, route, key, bodyHash };
};
