import { Buffer } from "node:buffer";
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { WebhookDelivery, WebhookVerdict } from "../ports.ts";

const TOLERANCE_S = 300;

/** The key in a `whsec_…` secret. Throws when it holds none: an empty key would make anybody's signature valid. */
const keyOf = (secret: string): Buffer => {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  if (key.length === 0) throw new Error("a webhook secret is `whsec_` and base64");
  return key;
};

const digest = (key: Buffer, id: string, timestamp: string, body: Uint8Array | string): Buffer =>
  createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest();

/** A new secret: 32 random bytes. */
export const createStandardSecret = (): string => `whsec_${randomBytes(32).toString("base64")}`;

/** The headers of a delivery at an instant (ms): one signature per secret, so that secrets can be rotated. */
export const signStandard = (
  secrets: readonly string[],
  { id, at, body }: { id: string; at: number; body: string },
): Record<string, string> => {
  const timestamp = String(Math.floor(at / 1000));
  const signatures = secrets.map((secret) => `v1,${digest(keyOf(secret), id, timestamp, body).toString("base64")}`);
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures.join(" ") };
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
      const mine = digest(key, id, timestamp, body);
      return given.some((theirs) => isSame(mine, theirs));
    });
    if (!fits) return { ok: false, reason: "bad_signature" };
    const age = Math.abs(receivedAt / 1000 - Number(timestamp));
    return age > TOLERANCE_S ? { ok: false, reason: "stale" } : { ok: true, id, signed: true };
  };
};
