import { LRUCache } from "lru-cache";
import type { FindOutcome } from "../../ports.ts";
import type { Caller } from "../call.ts";
import { fieldsOf, type Prediction, predictionOf } from "./prediction.ts";

/** A prediction is looked for by its creation, in this window around our submit. Its clock is not ours. */
const BEFORE_MS = 5_000;
const AFTER_MS = 120_000;
/** 600 creates a minute are allowed and a page holds 100. */
const MAX_PAGES = 15;
const MAX_LOOKUPS = 100;
/** A page holds whole predictions, logs and all. */
const PAGE_BYTES = 32 * 1024 * 1024;
const BODY_BYTES = 24 * 1024 * 1024;
const REMEMBERED = 10_000;

type Window = { from: number; to: number };
type Seen = { webhook: string | null } | "unreadable" | "unavailable";
type Listed = { found: Prediction | null; rows: Prediction[]; whole: boolean };

const outside = ({ createdAt }: Prediction, { from, to }: Window) => createdAt < from || createdAt > to;

/** The same, or `unavailable` as soon as the signal aborts. `reading` never rejects. */
const orUnavailable = (reading: Promise<Seen>, signal: AbortSignal) =>
  new Promise<Seen>((resolve) => {
    const abort = () => resolve("unavailable");
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    reading.then(resolve).finally(() => signal.removeEventListener("abort", abort));
  });

/**
 * Looks for the prediction of an attempt whose answer was lost. Replicate has no tags, but it gives back the webhook
 * URL that a prediction was created with, and ours names the attempt. Whether the rows of the list carry it is not
 * documented: if none does, the predictions of the time window are fetched one by one, nearest first. What was seen
 * is remembered (a webhook never changes), so another look goes on where this one stopped.
 *
 * `absent` only when the whole window was seen; even then it is a hint.
 */
export const createFinder = (call: Caller) => {
  /** By prediction id. */
  const seen = new LRUCache<string, { webhook: string | null }>({ max: REMEMBERED });
  const underWay = new Map<string, Promise<Seen>>();

  const isOurs = (webhook: string | null | undefined, attempt: string) =>
    typeof webhook === "string" && webhook.includes(attempt);

  /** The pages of the window, newest first, until the attempt is met; null when one could not be read. */
  const list = async (attempt: string, window: Window, signal: AbortSignal): Promise<Listed | null> => {
    const rows: Prediction[] = [];
    const iso = (ms: number) => encodeURIComponent(new Date(ms).toISOString());
    let query = `?created_after=${iso(window.from)}&created_before=${iso(window.to)}`;
    for (let page = 0; page < MAX_PAGES; page++) {
      const called = await call({ method: "GET", path: `/predictions${query}`, signal, maxBytes: PAGE_BYTES });
      const body = called.kind === "answer" && called.status === 200 ? fieldsOf(called.body) : null;
      if (!body || !Array.isArray(body.results)) return null;
      const read = body.results.flatMap((row) => predictionOf(row) ?? []);
      const found = read.find(({ webhook }) => isOurs(webhook, attempt)) ?? null;
      rows.push(...read.filter((row) => !outside(row, window)));
      const { next } = body;
      const last = typeof next !== "string" || !URL.canParse(next) || read.some((row) => row.createdAt < window.from);
      if (found || last) return { found, rows, whole: true };
      // Only the cursor is taken from it: calls with our credentials go to the configured host.
      query = new URL(next).search;
    }
    return { found: null, rows, whole: false };
  };

  const read = async (id: string, signal: AbortSignal): Promise<Seen> => {
    const called = await call({ method: "GET", path: `/predictions/${id}`, signal, maxBytes: BODY_BYTES });
    if (called.kind !== "answer" || called.status === 429 || called.status >= 500) return "unavailable";
    const prediction = called.status === 200 ? predictionOf(called.body) : null;
    if (!prediction) return "unreadable";
    const webhook = { webhook: prediction.webhook ?? null };
    seen.set(id, webhook);
    return webhook;
  };

  /** After a crash many attempts are looked for at once, among the same predictions: each is fetched once. */
  const look = async (id: string, signal: AbortSignal): Promise<Seen> => {
    const known = seen.get(id);
    if (known) return known;
    const reading = underWay.get(id) ?? read(id, signal).finally(() => underWay.delete(id));
    underWay.set(id, reading);
    return orUnavailable(reading, signal);
  };

  /** Goes through the predictions nearest to the submit first. One that cannot be read hides nothing but itself. */
  const search = async (attempt: string, near: Prediction[], signal: AbortSignal): Promise<FindOutcome> => {
    let lookups = 0;
    let certain = true;
    for (const { id } of near) {
      if (!seen.has(id) && ++lookups > MAX_LOOKUPS) return { kind: "unknown" };
      const found = await look(id, signal);
      if (found === "unavailable") return { kind: "unknown" };
      if (found === "unreadable") certain = false;
      else if (isOurs(found.webhook, attempt)) return { kind: "found", ref: id };
    }
    return { kind: certain ? "absent" : "unknown" };
  };

  return async (attempt: string, submittedAt: number, signal: AbortSignal): Promise<FindOutcome> => {
    const window = { from: submittedAt - BEFORE_MS, to: submittedAt + AFTER_MS };
    const listed = await list(attempt, window, signal);
    if (!listed) return { kind: "unknown" };
    const { found, rows, whole } = listed;
    if (found) return { kind: "found", ref: found.id };
    const listTells = rows.some(({ webhook }) => typeof webhook === "string");
    const far = ({ createdAt }: Prediction) => Math.abs(createdAt - submittedAt);
    const candidates = listTells ? [] : rows.toSorted((a, b) => far(a) - far(b));
    const outcome = await search(attempt, candidates, signal);
    return outcome.kind === "absent" && !whole ? { kind: "unknown" } : outcome;
  };
};
