import type { Signer } from "./kit-webhooks.ts";
import { createWebhooks } from "./kit-webhooks.ts";
import type { Event, PredictionRun, WirePrediction } from "./replicate-run.ts";

const THROTTLE_MS = 500;
const UNFILTERED: readonly Event[] = ["output", "completed"];

/**
 * Replicate's webhooks: the bare prediction, signed. `output` and `logs` at most every 500 ms, never retried;
 * `completed` is retried after `retries` (ms) on any answer but 2xx. Nothing is sent for `aborted`.
 */
export const createReplicateWebhooks = ({
  now,
  sign,
  retries,
}: {
  now(): number;
  sign: Signer;
  retries: readonly number[];
}) => {
  const sender = createWebhooks({ now, sign });
  const lastAt = new Map<string, number>();
  const underWay = new Set<Promise<unknown>>();

  const deliver = async (url: string, payload: WirePrediction, waits: readonly number[]) =>
    sender.insist(await sender.send(url, payload), waits);

  return {
    ...sender,
    /** Sends an event of a run, if its filter wants it and the throttle lets it. */
    tell({ id, data }: PredictionRun, event: Event, payload: WirePrediction): void {
      if (data.webhook === null || !(data.events ?? UNFILTERED).includes(event)) return;
      if (event === "output" || event === "logs") {
        if (now() - (lastAt.get(id) ?? Number.NEGATIVE_INFINITY) < THROTTLE_MS) return;
        lastAt.set(id, now());
      }
      const sending = deliver(data.webhook, payload, event === "completed" ? retries : []).finally(() =>
        underWay.delete(sending),
      );
      underWay.add(sending);
    },
    /** Resolves when everything that was to be sent was sent. */
    async settle(): Promise<void> {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
};
