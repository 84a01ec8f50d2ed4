import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";
import type { WebhookDelivery, WebhookVerdict } from "../../ports.ts";
import { createStandardVerifier } from "../../net/standard-webhooks.ts";

const digest = (text: string | Uint8Array) => createHash("sha256").update(text).digest();

const isJson = (body: Uint8Array): boolean => {
  try {
    return typeof JSON.parse(Buffer.from(body).toString("utf8")) === "object";
  } catch {
    return false;
  }
};

/** A delivery that nobody signed: a redelivery has the same bytes, so they are its id. */
const unsigned = ({ headers, body }: WebhookDelivery): WebhookVerdict =>
  isJson(body)
    ? { ok: true, id: headers.get("webhook-id") ?? digest(body).toString("hex"), signed: false }
    : { ok: false, reason: "malformed" };

/**
 * v2: Higgsfield signs only once its account's secret has been revealed in its console. With secrets set, everything
 * must be signed with one of them; without, deliveries pass as unsigned.
 */
export const createVerifier = (secrets: readonly string[]) => {
  const verifySigned = createStandardVerifier(...secrets);
  return async (delivery: WebhookDelivery): Promise<WebhookVerdict> =>
    secrets.length > 0 ? verifySigned(delivery) : unsigned(delivery);
};

/**
 * v1: the secret that went along with the submit comes back in a header. The header is being retired, so without it
 * a delivery passes as unsigned; with another secret in it, it does not.
 */
export const createV1Verifier =
  (secret: string) =>
  async (delivery: WebhookDelivery): Promise<WebhookVerdict> => {
    const theirs = delivery.headers.get("x-webhook-secret-key");
    const verdict = unsigned(delivery);
    if (theirs === null || !verdict.ok) return verdict;
    return timingSafeEqual(digest(theirs), digest(secret))
      ? { ...verdict, signed: true }
      : { ok: false, reason: "bad_signature" };
  };
