/**
 * What comes in from providers. A delivery is judged by its raw bytes, and whatever it says, it is a nudge to poll now:
 *
 *   the token or the provider is unknown          not_found
 *   the signature does not fit                    unauthenticated
 *   too old, or not one of this provider's        bad_request
 *   acted on before                               nothing
 *   about an earlier attempt, or a job at its end nothing
 *   else                                          the job polls, or looks for its lost submit, at once
 *
 * It is remembered only after the job has taken it: one that could not be handed over is answered with 503 and comes
 * again, and one that is acted on twice is only another nudge.
 */
import type { MachineEvent } from "../../machines/step.ts";
import type { Dispatch } from "../actors/dispatch.ts";
import type { Query } from "../db/queries.ts";
import { Problem } from "../errors.ts";
import type { Log } from "../log.ts";
import { findModel } from "../models/catalog.ts";
import { pathOf } from "../models/model.ts";
import type { Tool } from "../models/tool.ts";
import type { Clock, Provider, WebhookDelivery, WebhookVerdict } from "../ports.ts";
import type { Replays } from "./replays.ts";
import type { Hooks, Named } from "./token.ts";

/** Providers wait for 10 s at least; to verify may take fetching a key. */
const VERIFY_MS = 7_000;
const HANDOVER_MS = 1_000;
const RETRY_AFTER_S = 5;
const MAX_ID = 255;

type Refusal = Extract<WebhookVerdict, { ok: false }>["reason"];
type Verified = Extract<WebhookVerdict, { ok: true }>;

const REFUSALS: Record<Refusal, () => Problem> = {
  bad_signature: () => new Problem("unauthenticated", "The signature does not fit the delivery"),
  stale: () => new Problem("bad_request", "The delivery is too old, or ahead of its time"),
  malformed: () => new Problem("bad_request", "The delivery is not one of this provider's"),
};

/** Takes one delivery. Rejects with `Problem`: unauthenticated, bad_request, unavailable. */
export type Receive = (delivery: Pick<WebhookDelivery, "headers" | "body">) => Promise<void>;

export const createReceiver = (deps: {
  providers: ReadonlyMap<string, Provider>;
  hooks: Pick<Hooks, "read">;
  replays: Replays;
  dispatch: Pick<Dispatch, "send">;
  query: Query;
  clock: Clock;
  log: Log;
}) => {
  const { providers, hooks, replays, dispatch, query, clock, log } = deps;

  /** Rejects with `unavailable` after `ms`; the work goes on by itself. */
  const within = <T>(ms: number, work: Promise<T>): Promise<T> => {
    let cancel = () => {};
    const late = new Promise<never>((_, reject) => {
      cancel = clock.after(ms, () => reject(new Problem("unavailable", undefined, { retryAfter: RETRY_AFTER_S })));
    });
    return Promise.race([work, late]).finally(() => cancel());
  };

  /** What the provider calls the generation, where its name for the delivery proves it. */
  const provenRef = async (provider: Provider, job: string, delivery: string): Promise<string | null> => {
    if (!provider.refOf) return null;
    const [row] = await query<{ tool_type: Tool; model_key: string }>("modelOfJob", [job]);
    if (!row) return null;
    const model = findModel(row.model_key);
    return provider.refOf(model ? pathOf(model, row.tool_type) : row.model_key, delivery);
  };

  /** Resolves when the job has taken it, or is beyond all nudges. */
  const nudge = async (job: string, event: MachineEvent): Promise<void> => {
    try {
      await dispatch.send(job, event);
    } catch (error) {
      if (!(error instanceof Problem) || error.retryable) throw error;
    }
  };

  const act = async (provider: Provider, { id, signed }: Verified, { job, attempt }: Named): Promise<void> => {
    if (await replays.has(provider.name, id)) return;
    const ref = signed ? await provenRef(provider, job, id) : null;
    await nudge(job, { type: "nudge", attempt, ...(ref !== null && { ref }) });
    await replays.keep(provider.name, id, clock.now());
  };

  const judge = async (provider: Provider, delivery: WebhookDelivery): Promise<WebhookVerdict> => {
    const verdict = (await provider.verify?.(delivery)) ?? { ok: false, reason: "malformed" };
    return verdict.ok && verdict.id.length > MAX_ID ? { ok: false, reason: "malformed" } : verdict;
  };

  return {
    /** What takes deliveries under this token. Throws `not_found` when it is none of ours. */
    open: (name: string, token: string): Receive => {
      const provider = providers.get(name);
      const named = hooks.read(name, token);
      if (!provider?.verify || !named) throw new Problem("not_found");
      return async ({ headers, body }) => {
        const verdict = await within(VERIFY_MS, judge(provider, { headers, body, receivedAt: clock.now() }));
        const told = { provider: name, job_id: named.job, attempt: named.attempt };
        if (!verdict.ok) {
          log.warn({ event: "webhook_refused", ...told, reason: verdict.reason }, "webhook refused");
          throw REFUSALS[verdict.reason]();
        }
        log.debug({ event: "webhook_received", ...told, signed: verdict.signed }, "webhook received");
        await within(HANDOVER_MS, act(provider, verdict, named));
      };
    },
  };
};
export type Receiver = ReturnType<typeof createReceiver>;
