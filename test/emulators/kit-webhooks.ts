import { Buffer } from "node:buffer";
import { createHmac, randomUUID } from "node:crypto";

/** What was sent and how it was answered: a status, or null when nobody answered. */
export type Delivery = {
  id: string;
  url: string;
  body: string;
  headers: Record<string, string>;
  status: number | null;
};

/** `id` is the same for every redelivery; `at` is milliseconds since the epoch. */
export type Signer = (message: { id: string; body: string; at: number }) => Record<string, string>;

const ACK_MS = 10_000;

/** Standard Webhooks: one `v1,` signature for each secret (`whsec_…`), so that secrets can be rotated. */
export const signStandard =
  (...secrets: string[]): Signer =>
  ({ id, body, at }) => {
    const timestamp = Math.floor(at / 1000);
    const signatures = secrets.map((secret) => {
      const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
      return `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")}`;
    });
    return { "webhook-id": id, "webhook-timestamp": String(timestamp), "webhook-signature": signatures.join(" ") };
  };

/** Sends webhooks; a test says when to send again, late, out of order, stale or badly signed. */
export const createWebhooks = ({ now, sign }: { now(): number; sign?: Signer }) => {
  const deliveries: Delivery[] = [];
  const closing = new AbortController();

  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      closing.signal.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      });
    });

  const post = async (delivery: Delivery): Promise<Delivery> => {
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(ACK_MS)]);
    const { url, body, headers } = delivery;
    const status = await fetch(url, { method: "POST", body, headers, redirect: "manual", signal }).then(
      async (response) => {
        await response.body?.cancel();
        return response.status;
      },
      () => null,
    );
    const done = { ...delivery, status };
    deliveries.push(done);
    return done;
  };

  /** Sends `payload` to `url` and waits for the acknowledgement. `stale` seconds make it older; `signer` signs in another way. */
  const send = (
    url: string,
    payload: unknown,
    { id = `msg_${randomUUID()}`, stale = 0, signer = sign }: { id?: string; stale?: number; signer?: Signer } = {},
  ): Promise<Delivery> => {
    const body = typeof payload === "string" ? payload : JSON.stringify(payload);
    const signed = signer?.({ id, body, at: now() - stale * 1000 }) ?? {};
    return post({ id, url, body, headers: { "content-type": "application/json", ...signed }, status: null });
  };

  /** Sends a delivery again, byte for byte but signed anew, under the same id. */
  const redeliver = ({ id, url, body, headers }: Delivery): Promise<Delivery> => {
    const signed = sign?.({ id, body, at: now() }) ?? {};
    return post({ id, url, body, headers: { ...headers, ...signed }, status: null });
  };

  return {
    deliveries: deliveries as readonly Delivery[],
    send,
    redeliver,
    /** Sends a delivery again after each of these waits (ms), until one is answered with a 2xx. */
    async insist(first: Delivery, waits: readonly number[]): Promise<void> {
      let delivery = first;
      for (const wait of waits) {
        if (delivery.status !== null && delivery.status >= 200 && delivery.status < 300) return;
        await pause(wait);
        if (closing.signal.aborted) return;
        delivery = await redeliver(delivery);
      }
    },
    close: (): void => closing.abort(),
  };
};
