/** Higgsfield v2: `POST /{model}` with a flat body, `GET /requests/{id}/status`, `POST /requests/{id}/cancel`. */
import type { Log } from "../../log.ts";
import type { Provider } from "../../ports.ts";
import { isAllowed } from "../allowed.ts";
import { createCaller } from "../call.ts";
import { createDownloader } from "../download.ts";
import { cancelIn } from "./cancel.ts";
import { API_HOSTS, heedsKeys, OUTPUT_HOSTS } from "./hosts.ts";
import { inputOf } from "./input.ts";
import { readRef, refOf } from "./ref.ts";
import { submitIn } from "./refusal.ts";
import { checkIn } from "./status.ts";
import { createVerifier } from "./webhook.ts";

export type HiggsfieldDeps = {
  /** `https://api.higgsfield.ai`, `https://platform.higgsfield.ai`, or an emulator. */
  baseUrl: string;
  apiKey: string;
  secret: string;
  /** `whsec_…`; two while they are rotated. None: deliveries are not signed, and pass as such. */
  webhookSecrets?: readonly string[];
  /** Whether the service is trusted to heed `Idempotency-Key`. Default: yes, but not the older host. */
  idempotent?: boolean;
  /** Hosts whose status URLs are followed, with the credentials, besides Higgsfield's two. */
  apiHosts?: readonly string[];
  /** Hosts of outputs besides the known ones. See `isAllowed`. */
  outputHosts?: readonly string[];
  log: Log;
  /** Milliseconds since the epoch. */
  now(): number;
};

/** Whether this model is one of the older API, which `createHiggsfieldV1Provider` speaks. */
export const isV1 = (model: string): boolean => /^\/?v1\//.test(model);

/** A model path, and nothing that could lead to another endpoint. */
const MODEL = /^\/?[a-z0-9][\w.-]*(\/[a-z0-9][\w.-]*){0,7}$/i;

/**
 * The provider "higgsfield". Every submit carries the attempt id as `Idempotency-Key`, so that the same generation
 * submitted again answers with the same ref. The key holds for the very same words only: prompt, parameters, webhook
 * and input URLs, signatures in them included; with others the answer is ambiguous.
 */
export const createHiggsfieldProvider = (deps: HiggsfieldDeps): Provider => {
  const { baseUrl, apiKey, secret, webhookSecrets = [], apiHosts = [], outputHosts = [], log, now } = deps;
  const allowedHosts = [...API_HOSTS, ...apiHosts];
  const call = createCaller({
    baseUrl,
    headers: () => ({ Authorization: `Key ${apiKey}:${secret}` }),
    allowedHosts,
    log,
  });
  const base = new URL(baseUrl);
  const idempotentSubmit = deps.idempotent ?? heedsKeys(base.host);
  const isOurs = (url: URL) => isAllowed(url, base, allowedHosts);

  const check: Provider["check"] = async (ref, signal) => {
    const known = readRef(ref, baseUrl);
    if (!known) return { kind: "gone" };
    const called = await call({ method: "GET", url: known.statusUrl, signal });
    return checkIn(called, (status) =>
      log.warn({ provider: "higgsfield", ref: known.id, status }, "higgsfield said a status that is not known"),
    );
  };

  return {
    name: "higgsfield",
    capabilities: { idempotentSubmit, findable: false, webhooks: true, cancel: true },

    submit: async (generation, signal) => {
      const { model, attempt, webhook } = generation;
      if (!MODEL.test(model) || isV1(model)) {
        return {
          kind: "rejected",
          retryable: false,
          code: "model_unavailable",
          message: "Higgsfield has no such model",
        };
      }
      const query = webhook ? `?${new URLSearchParams({ hf_webhook: webhook })}` : "";
      const called = await call({
        method: "POST",
        path: `${model}${query}`,
        headers: { "Idempotency-Key": attempt },
        json: inputOf(generation),
        signal,
      });
      return submitIn(called, now(), (body) => refOf(body, { baseUrl, isOurs }));
    },

    find: async () => ({ kind: "unknown" }),

    check,

    cancel: async (ref, signal) => {
      const known = readRef(ref, baseUrl);
      if (!known) return { kind: "unknown", reason: "no such ref" };
      const called = await call({ method: "POST", url: known.cancelUrl, signal });
      return cancelIn(called, () => check(ref, signal));
    },

    verify: createVerifier(webhookSecrets),
    download: createDownloader({ baseUrl, allowedHosts: [...OUTPUT_HOSTS, ...outputHosts] }),
  };
};
