import { createWebhooks, type Delivery, type Signer, signStandard } from "./kit-webhooks.ts";

/** Who is to be told: `secret` goes along in a header (v1) instead of a signature. */
export type Address = { url: string; secret?: string };
export type Sending = { signer?: Signer; stale?: number; id?: string };

/**
 * Higgsfield's webhooks. The newer service signs, and sends again what was answered with a 5xx or not at all; the
 * older one does not sign, and sends again until it hears a 2xx.
 */
export const createHiggsfieldWebhooks = ({
  now,
  isNew,
  secrets,
}: {
  now(): number;
  isNew: boolean;
  secrets: readonly string[];
}) => {
  const webhooks = createWebhooks({ now, sign: isNew && secrets.length > 0 ? signStandard(...secrets) : undefined });
  const undelivered: Delivery[] = [];

  const keep = (delivery: Delivery): Delivery => {
    const { status } = delivery;
    const isOver = status !== null && (isNew ? status < 500 : status >= 200 && status < 300);
    if (!isOver) undelivered.push(delivery);
    return delivery;
  };

  return {
    ...webhooks,
    tell: async ({ url, secret }: Address, body: unknown, more: Sending = {}): Promise<Delivery> => {
      const plain: Signer = () => ({ "x-webhook-secret-key": secret ?? "" });
      return keep(await webhooks.send(url, body, { ...(secret !== undefined && { signer: plain }), ...more }));
    },
    /** Sends again what deserves it, now. */
    retry: (): Promise<Delivery[]> =>
      Promise.all(undelivered.splice(0).map(async (delivery) => keep(await webhooks.redeliver(delivery)))),
  };
};
