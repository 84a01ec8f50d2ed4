/** Higgsfield v1, the older API: `POST /v1/…` with `{params}`, answered by a set of jobs at `GET /v1/job-sets/{id}`. */
import { createHmac } from "node:crypto";
import type { Provider } from "../../ports.ts";
import { createCaller } from "../call.ts";
import { createDownloader } from "../download.ts";
import { type HiggsfieldDeps, isV1 } from "./adapter.ts";
import { OUTPUT_HOSTS } from "./hosts.ts";
import { jobSetIn } from "./job-set.ts";
import { fieldsOf, submitIn } from "./refusal.ts";
import { unreadable } from "./status.ts";
import { v1InputOf } from "./v1-input.ts";
import { createV1Verifier } from "./webhook.ts";

const ID = /^[\w-]{1,100}$/;
const PATH = /^\/?v1(\/[a-z0-9][\w-]*){1,4}$/i;

/**
 * The provider "higgsfield_v1": a provider of its own, because nothing here is idempotent, findable or cancelable.
 * A lost answer of a submit stays unresolved. A batch of 4 is one generation with up to four outputs.
 */
export const createHiggsfieldV1Provider = (
  deps: Pick<HiggsfieldDeps, "baseUrl" | "apiKey" | "secret" | "outputHosts" | "log" | "now">,
): Provider => {
  const { baseUrl, apiKey, secret, outputHosts = [], log, now } = deps;
  const call = createCaller({ baseUrl, headers: () => ({ "hf-api-key": apiKey, "hf-secret": secret }), log });
  // Comes back with each webhook, from a place that we do not know: never the secret itself.
  const webhookSecret = createHmac("sha256", secret).update("darkroom webhooks of higgsfield v1").digest("hex");

  return {
    name: "higgsfield_v1",
    capabilities: { idempotentSubmit: false, findable: false, webhooks: true, cancel: false },

    submit: async (generation, signal) => {
      const { model, attempt } = generation;
      if (!isV1(model) || !PATH.test(model)) {
        return {
          kind: "rejected",
          retryable: false,
          code: "model_unavailable",
          message: "Higgsfield has no such model",
        };
      }
      const called = await call({
        method: "POST",
        path: model,
        // Not known to work here; it costs nothing, and nothing relies on it.
        headers: { "Idempotency-Key": attempt },
        json: v1InputOf(generation, webhookSecret),
        signal,
      });
      return submitIn(called, now(), ({ id }) => (typeof id === "string" && ID.test(id) ? id : null));
    },

    find: async () => ({ kind: "unknown" }),

    check: async (ref, signal) => {
      if (!ID.test(ref)) return { kind: "gone" };
      const called = await call({ method: "GET", path: `v1/job-sets/${ref}`, signal });
      const nothing = unreadable(called);
      if (nothing) return nothing;
      const jobs = called.kind === "answer" ? fieldsOf(called.body)?.jobs : undefined;
      return Array.isArray(jobs) ? jobSetIn(jobs) : { kind: "unknown", reason: "an answer without jobs" };
    },

    cancel: async () => ({ kind: "refused" }),

    verify: createV1Verifier(webhookSecret),
    download: createDownloader({ baseUrl, allowedHosts: [...OUTPUT_HOSTS, ...outputHosts] }),
  };
};
