import type { Log } from "../../log.ts";
import type { WebhookDelivery, WebhookVerdict } from "../../ports.ts";
import type { Caller } from "../call.ts";
import { createStandardVerifier } from "../../net/standard-webhooks.ts";
import { fieldsOf } from "./prediction.ts";

const ASK_MS = 3_000;
/** The secret is asked for at most this often, whatever is delivered to us. */
const PAUSE_MS = 60_000;

type Judge = (delivery: WebhookDelivery) => WebhookVerdict;

const judgeFor = (secret: unknown): Judge | null => {
  try {
    return typeof secret === "string" ? createStandardVerifier(secret) : null;
  } catch {
    return null;
  }
};

/** Replicate always names a delivery; without the secret that is all that can be said. */
const unsigned: Judge = ({ headers }) => {
  const id = headers.get("webhook-id");
  return id ? { ok: true, id, signed: false } : { ok: false, reason: "malformed" };
};

/**
 * Makes the judge of Replicate's webhooks. The account's one secret is the configured one (throws when that is not
 * one), else it is asked of the API and asked again, at most once a minute, when a signature does not fit: it may
 * have been changed. While it is not known, deliveries count as unsigned. Never rejects.
 */
export const createWebhookJudge = ({
  secret,
  call,
  now,
  log,
}: {
  secret?: string;
  call: Caller;
  now(): number;
  log: Log;
}): ((delivery: WebhookDelivery) => Promise<WebhookVerdict>) => {
  let judge: Judge | null = secret === undefined ? null : createStandardVerifier(secret);
  let askedAt = Number.NEGATIVE_INFINITY;
  let asking: Promise<Judge | null> | null = null;

  const ask = async (): Promise<Judge | null> => {
    const signal = AbortSignal.timeout(ASK_MS);
    const called = await call({ method: "GET", path: "/webhooks/default/secret", signal });
    const found = called.kind === "answer" && called.status === 200 ? judgeFor(fieldsOf(called.body)?.key) : null;
    if (!found) log.warn({ provider: "replicate" }, "the webhook secret could not be read");
    judge = found ?? judge;
    return judge;
  };

  const refreshed = (): Promise<Judge | null> => {
    if (asking) return asking;
    if (secret !== undefined || now() - askedAt < PAUSE_MS) return Promise.resolve(judge);
    askedAt = now();
    asking = ask().finally(() => {
      asking = null;
    });
    return asking;
  };

  return async (delivery) => {
    const known = judge ?? (await refreshed());
    if (!known) return unsigned(delivery);
    const verdict = known(delivery);
    if (verdict.ok || verdict.reason !== "bad_signature") return verdict;
    const fresh = await refreshed();
    return fresh && fresh !== known ? fresh(delivery) : verdict;
  };
};
