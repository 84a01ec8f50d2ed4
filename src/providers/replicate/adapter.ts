import { Readable } from "node:stream";
import type { Log } from "../../log.ts";
import type { CancelOutcome, CheckOutcome, Provider, SubmitOutcome } from "../../ports.ts";
import { type Called, createCaller } from "../call.ts";
import { createDownloader, DownloadError } from "../download.ts";
import { throttledBy } from "../throttled.ts";
import { cancelAfter } from "./cancel-after.ts";
import { createFinder } from "./find.ts";
import { decodeDataUrl, parseInlineUrl } from "./inline.ts";
import { buildRequest } from "./input.ts";
import { outcomeOf } from "./outcome.ts";
import { filesOf } from "./outputs.ts";
import { fieldsOf, isId, type Prediction, predictionOf } from "./prediction.ts";
import { rejectionOf } from "./rejection.ts";
import { createWebhookJudge } from "./webhook.ts";

export type ReplicateDeps = {
  /** `https://api.replicate.com/v1`, or where an emulator is. */
  baseUrl: string;
  token: string;
  /**
   * What our webhook URLs begin with, as Replicate can reach it; null when it cannot reach us. Without it a lost
   * submit cannot be found. Replicate takes https only, so a plain http one counts as null.
   */
  webhookBase: string | null;
  /** `whsec_…`. Asked of the API when absent. */
  webhookSecret?: string;
  /** Milliseconds since the epoch. */
  now(): number;
  log: Log;
};

const NOT_SENT_MS = 1_000;
/** Every answer holds the logs of the whole run, and perhaps 16 MiB of media as base64. */
const BODY_BYTES = 24 * 1024 * 1024;
const OUTPUT_HOSTS = ["replicate.delivery", "*.replicate.delivery"];
const KNOWN = new Set(["starting", "processing", "succeeded", "failed", "canceled", "aborted"]);
const UNKNOWN_REF = "no such prediction";

const reasonOf = (called: Called) => (called.kind === "answer" ? `HTTP ${called.status}` : called.reason);

/** A prediction in a 2xx answer. */
const predictionIn = (called: Called): Prediction | null =>
  called.kind === "answer" && called.status >= 200 && called.status < 300 ? predictionOf(called.body) : null;

/** Whether Replicate itself, and not something on the way, says that there is no such thing. */
const isMissing = (called: Called) =>
  called.kind === "answer" && called.status === 404 && fieldsOf(called.body) !== null;

const cancelOutcome = (called: Called): CancelOutcome => {
  const prediction = predictionIn(called);
  switch (prediction?.status) {
    case "canceled":
    case "aborted":
      return { kind: "canceled" };
    case "succeeded":
    case "failed":
      return { kind: "already_finished" };
  }
  // It was told, but shows no effect yet; asked again it answers with how it went.
  if (prediction) return { kind: "unknown", reason: `asked to stop, still ${prediction.status}` };
  if (isMissing(called)) return { kind: "unknown", reason: UNKNOWN_REF };
  const refused = called.kind === "answer" && [400, 405, 409, 422].includes(called.status);
  return refused ? { kind: "refused" } : { kind: "unknown", reason: reasonOf(called) };
};

/**
 * Replicate over HTTP. It knows no idempotency key: a submit whose answer was lost is found by the webhook URL that
 * the prediction gives back, which names our attempt. `Prefer: wait` is never used; outputs are gone an hour after
 * completion and must be stored at once.
 */
export const createReplicateProvider = (deps: ReplicateDeps): Provider => {
  const { token, now, log } = deps;
  const baseUrl = deps.baseUrl.replace(/\/+$/, "");
  const call = createCaller({ baseUrl, headers: () => ({ Authorization: `Bearer ${token}` }), log });
  // Replicate's reference asks for the token on files, its own SDK fetches them without: so without it first.
  const credentials = { hosts: OUTPUT_HOSTS, headers: () => ({ Authorization: `Bearer ${token}` }) };
  const fetchFile = createDownloader({ baseUrl, allowedHosts: OUTPUT_HOSTS, credentials });
  const isReachable = (url: string | null) => url !== null && (url.startsWith("https:") || baseUrl.startsWith("http:"));
  const reachable = isReachable(deps.webhookBase);
  const find = createFinder(call);

  const get = (id: string, signal: AbortSignal) =>
    call({ method: "GET", path: `/predictions/${id}`, signal, maxBytes: BODY_BYTES });

  return {
    name: "replicate",
    capabilities: { idempotentSubmit: false, findable: reachable, webhooks: reachable, cancel: true },
    rates: { submits: 600, checks: 3000 },

    submit: async (generation, signal): Promise<SubmitOutcome> => {
      const built = buildRequest(generation);
      if (!built.ok) return { kind: "rejected", retryable: false, code: built.code, message: built.message };
      const { path, body } = built.request;
      const { webhook, deadline } = generation;
      const told = isReachable(webhook) ? { webhook, webhook_events_filter: ["completed"] } : {};
      const headers = { "Cancel-After": cancelAfter(deadline, now()) };
      const called = await call({ method: "POST", path, headers, json: { ...body, ...told }, signal });
      if (called.kind === "not_sent") {
        return { kind: "rejected", retryable: true, code: "not_sent", afterMs: NOT_SENT_MS };
      }
      const prediction = predictionIn(called);
      if (prediction) return { kind: "accepted", ref: prediction.id };
      return called.kind === "answer" ? rejectionOf(called, now()) : { kind: "ambiguous", reason: called.reason };
    },

    find: async (attempt, submittedAt, signal) =>
      reachable ? find(attempt, submittedAt, signal) : { kind: "unknown" },

    check: async (ref, signal): Promise<CheckOutcome> => {
      if (!isId(ref)) return { kind: "gone" };
      const called = await get(ref, signal);
      const prediction = predictionIn(called);
      if (prediction) {
        const { status } = prediction;
        if (!KNOWN.has(status)) log.warn({ provider: "replicate", ref, status }, "a status that is not known");
        return outcomeOf(prediction, baseUrl);
      }
      if (called.kind === "answer" && called.status === 429) return throttledBy(called, now());
      return isMissing(called) ? { kind: "gone" } : { kind: "unknown", reason: reasonOf(called) };
    },

    cancel: async (ref, signal) => {
      if (!isId(ref)) return { kind: "unknown", reason: UNKNOWN_REF };
      return cancelOutcome(
        await call({ method: "POST", path: `/predictions/${ref}/cancel`, signal, maxBytes: BODY_BYTES }),
      );
    },

    ...(reachable && { verify: createWebhookJudge({ secret: deps.webhookSecret, call, now, log }) }),

    download: async (output, signal) => {
      const inline = parseInlineUrl(baseUrl, output.url);
      if (!inline) return fetchFile(output, signal);
      const called = await get(inline.id, signal);
      signal.throwIfAborted();
      const prediction = predictionIn(called);
      if (!prediction)
        throw new DownloadError("output_unavailable", `The prediction could not be read: ${reasonOf(called)}`);
      const file = decodeDataUrl(filesOf(prediction.output)[inline.index] ?? "");
      if (!file) throw new DownloadError("output_expired", "The prediction no longer has this output");
      return { body: Readable.from([file.bytes]), size: file.bytes.length, ...(file.mime && { mime: file.mime }) };
    },
  };
};
