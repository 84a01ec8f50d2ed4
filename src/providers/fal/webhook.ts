import { Buffer } from "node:buffer";
import { createHash, verify } from "node:crypto";
import type { WebhookDelivery, WebhookVerdict } from "../../ports.ts";
import type { Keyring } from "./jwks.ts";

const WINDOW_S = 300;

const parse = (body: Uint8Array): { request_id?: unknown; gateway_request_id?: unknown } => {
  try {
    return JSON.parse(Buffer.from(body).toString("utf8")) ?? {};
  } catch {
    return {};
  }
};

/**
 * Judges deliveries of fal's webhook. Signed with Ed25519 is `request id \n user id \n timestamp \n hex(sha256(body))`,
 * the first three from the headers. Redeliveries are known by the request id: there is one delivery of each request.
 */
export const createWebhookVerifier =
  ({ keyring, userId }: { keyring: Keyring /** Ours at fal; absent: any user's. */; userId?: string }) =>
  async ({ headers, body, receivedAt }: WebhookDelivery): Promise<WebhookVerdict> => {
    const id = headers.get("x-fal-webhook-request-id");
    const user = headers.get("x-fal-webhook-user-id");
    const timestamp = headers.get("x-fal-webhook-timestamp") ?? "";
    const signature = headers.get("x-fal-webhook-signature") ?? "";
    if (!id || !user || !/^\d{1,12}$/.test(timestamp) || !/^[0-9a-f]{128}$/i.test(signature)) {
      return { ok: false, reason: "malformed" };
    }
    if (Math.abs(receivedAt / 1000 - Number(timestamp)) > WINDOW_S) return { ok: false, reason: "stale" };
    if (userId !== undefined && user !== userId) return { ok: false, reason: "bad_signature" };

    const digest = createHash("sha256").update(body).digest("hex");
    const message = Buffer.from([id, user, timestamp, digest].join("\n"), "utf8");
    const bytes = Buffer.from(signature, "hex");
    const signed = await keyring.someFits((key) => verify(null, message, key, bytes));
    if (!signed) return { ok: false, reason: "bad_signature" };

    // After a retry inside of fal the two ids differ, and the pages do not say which one the header has.
    const { request_id: request, gateway_request_id: gateway } = parse(body);
    if (typeof request !== "string" || (id !== request && id !== gateway)) return { ok: false, reason: "malformed" };
    return { ok: true, id: request, signed: true };
  };
