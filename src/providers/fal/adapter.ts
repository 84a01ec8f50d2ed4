import type { Log } from "../../log.ts";
import type { CheckOutcome, Provider } from "../../ports.ts";
import { createCaller } from "../call.ts";
import { createDownloader } from "../download.ts";
import { cancelIn } from "./cancel.ts";
import { inputOf } from "./input.ts";
import { createKeyring } from "./jwks.ts";
import { isModel, isRef, refOf } from "./ref.ts";
import { resultIn } from "./result.ts";
import { statusIn } from "./status.ts";
import { submitIn } from "./submit.ts";
import { createWebhookVerifier } from "./webhook.ts";

export type FalProviderDeps = {
  /** The queue's, without a trailing slash: `https://queue.fal.run`. */
  baseUrl: string;
  /** `id:secret`. */
  key: string;
  /** Milliseconds since the epoch. */
  now(): number;
  log: Log;
  /** Where the webhook keys are. Default: at fal, or below the base URL when that is plain http (an emulator). */
  jwksUrl?: string;
  /** Our user id at fal; deliveries for others are refused when it is set. */
  userId?: string;
  /**
   * fal may run a request up to ten times on its own when a runner breaks. Default false: each run is then an attempt
   * of the job, in its timeline and under its bounds.
   */
  upstreamRetries?: boolean;
  /** How long outputs stay on fal's public CDN, in seconds. Default one day; storing them takes minutes. */
  outputLifeS?: number;
};

const DAY_S = 86_400;
/** Logs of a long run, and results with masks or words in them, are large. */
const MAX_BYTES = 8 * 1024 * 1024;
const QUEUE_HOSTS = ["queue.fal.run", "queue.falrun.com"];
const OUTPUT_HOSTS = ["fal.media", "*.fal.media", "*.fal.ai", "*.fal.run", "storage.googleapis.com"];

/** Below the base URL for an emulator, which speaks plain http; else fal's, also behind a proxy of the queue. */
const jwksUrlFor = (baseUrl: string): string =>
  `${baseUrl.startsWith("http://") ? baseUrl.replace(/\/+$/, "") : "https://rest.fal.ai"}/.well-known/jwks.json`;

/**
 * fal's queue. It knows no idempotency key and cannot be searched: a submit whose answer was lost stays unknown until
 * its webhook names the request. The result is fetched before success is declared, because there are no other states
 * than `IN_QUEUE`, `IN_PROGRESS` and `COMPLETED`, however a request ended.
 */
export const createFalProvider = (deps: FalProviderDeps): Provider => {
  const { baseUrl, key, now, log } = deps;
  const { upstreamRetries = false, outputLifeS = DAY_S, jwksUrl = jwksUrlFor(baseUrl) } = deps;
  const call = createCaller({ baseUrl, headers: () => ({ Authorization: `Key ${key}` }), log });
  const open = createCaller({ baseUrl: new URL(jwksUrl).origin, headers: () => ({}), log });
  const keyring = createKeyring({ call: open, url: jwksUrl, now, log });
  const isOurs = (host: string) => host === new URL(baseUrl).host || QUEUE_HOSTS.includes(host);

  return {
    name: "fal",
    capabilities: { idempotentSubmit: false, findable: false, webhooks: true, cancel: true },

    submit: async (generation, signal) => {
      const { model, deadline, webhook } = generation;
      if (!isModel(model)) {
        const message = "This is not the name of a model at fal";
        return { kind: "rejected", retryable: false, code: "model_unavailable", message };
      }
      const query = webhook === null ? "" : `?${new URLSearchParams({ fal_webhook: webhook })}`;
      const called = await call({
        method: "POST",
        path: `${model}${query}`,
        headers: {
          // Limits the wait for a start, not the run. fal wants more than one second.
          "X-Fal-Request-Timeout": String(Math.max(2, Math.ceil((deadline - now()) / 1000))),
          "X-Fal-Object-Lifecycle-Preference": JSON.stringify({ expiration_duration_seconds: outputLifeS }),
          ...(upstreamRetries ? {} : { "X-Fal-No-Retry": "1" }),
        },
        json: inputOf(generation),
        signal,
      });
      return submitIn(called, { model, now: now(), isOurs });
    },

    find: async () => ({ kind: "unknown" }),

    check: async (ref, signal): Promise<CheckOutcome> => {
      if (!isRef(ref)) return { kind: "gone" };
      const get = (path: string) => call({ method: "GET", path, signal, maxBytes: MAX_BYTES });
      const status = statusIn(await get(`${ref}/status?logs=1`), log);
      return status.kind === "finished" ? resultIn(await get(ref), status.error) : status;
    },

    cancel: async (ref, signal) => {
      if (!isRef(ref)) return { kind: "unknown", reason: "no such ref" };
      return cancelIn(await call({ method: "PUT", path: `${ref}/cancel`, signal }));
    },

    refOf,

    verify: createWebhookVerifier({ keyring, userId: deps.userId }),

    download: createDownloader({ baseUrl, allowedHosts: OUTPUT_HOSTS }),
  };
};
