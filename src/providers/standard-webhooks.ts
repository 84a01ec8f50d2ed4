import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";
import type { WebhookDelivery, WebhookVerdict } from "../ports.ts";

const TOLERANCE_S = 300;

/** The key in a `whsec_…` secret. Throws when it holds none: an empty key would make anybody's signature valid. */
const keyOf = (secret: string): Buffer => {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  if (key.length === 0) throw new Error("a webhook secret is `whsec_` and base64");
  return key;
};

const isSame = (mine: Buffer, theirs: Buffer) => mine.length === theirs.length && timingSafeEqual(mine, theirs);

/**
 * Makes a judge of deliveries signed as standardwebhooks.com says: HMAC-SHA-256 over `id.timestamp.body`, body as the
 * raw bytes, one `v1,` signature per secret while secrets are rotated. Good when any signature fits any of `secrets`
 * and the timestamp is at most 300 s from `receivedAt`. A delivery that lacks a header is malformed.
 */
export const createStandardVerifier = (...secrets: string[]) => {
  const keys = secrets.map(keyOf);

  return ({ headers, body, receivedAt }: WebhookDelivery): WebhookVerdict => {
    const id = headers.get("webhook-id");
    const timestamp = headers.get("webhook-timestamp");
    const signature = headers.get("webhook-signature");
    if (!id || !signature || !timestamp || !/^\d{1,12}$/.test(timestamp)) return { ok: false, reason: "malformed" };
    const given = signature
      .split(" ")
      .flatMap((part) => (part.startsWith("v1,") ? [Buffer.from(part.slice(3), "base64")] : []));
    const fits = keys.some((key) => {
      const mine = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest();
      return given.some((theirs) => isSame(mine, theirs));
    });
    if (!fits) return { ok: false, reason: "bad_signature" };
    const age = Math.abs(receivedAt / 1000 - Number(timestamp));
    return age > TOLERANCE_S ? { ok: false, reason: "stale" } : { ok: true, id, signed: true };
  };
};
