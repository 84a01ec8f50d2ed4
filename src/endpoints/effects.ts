import { Buffer } from "node:buffer";
import type { LookupFunction } from "node:net";
import type { Delivered } from "../../machines/delivery.words.ts";
import type { MachineEvent } from "../../machines/step.ts";
import { type EffectCall, type EffectHandler, NotSent } from "../actors/effects.ts";
import type { Query } from "../db/queries.ts";
import type { FactLog } from "../facts/log.ts";
import type { Log } from "../log.ts";
import { exchange, type Exchanged } from "../net/exchange.ts";
import { AddressError } from "../net/public-address.ts";
import { retryAfterMs } from "../net/retry-after.ts";
import { signStandard } from "../net/standard-webhooks.ts";
import type { Clock } from "../ports.ts";
import { envelopeOf, type Render } from "../streams/envelope.ts";
import { excerptOf } from "./excerpt.ts";
import { flawOf, type Targets } from "./target.ts";
import type { EndpointRow } from "./words.ts";

/** In this process; an endpoint has its own, lower limit. */
const AT_ONCE = 500;
const MOST_BYTES = 512 * 1024;
const ANSWER_BYTES = 16 * 1024;
/** The answer comes first: this is only for what never came to be sent. */
const MARGIN_MS = 1_000;
/** Statuses with which `Retry-After` is meant. */
const BUSY = new Set([429, 503]);

type Target = Pick<EndpointRow, "url" | "secret" | "previous_secret" | "disabled_at">;
type Params = { n: number; event: Delivered };

/** Why there was no answer, as the endpoint's owner may know it. */
const codeOf = ({ kind, reason, error }: Exclude<Exchanged, { kind: "answer" }>, late: boolean): string => {
  if (late) return "timeout";
  if (error instanceof AddressError) return "refused_address";
  if (/CERT|SSL|TLS|SIGNED|certificate/i.test(reason)) return "tls";
  return kind === "lost" ? "no_answer" : "unreachable";
};

/** `deliver`: one try to send an event. What is sent is read, rendered and signed at that moment. */
export const createDeliveryEffects = (deps: {
  query: Query;
  factLog: Pick<FactLog, "read">;
  render: Render;
  /** CloudEvents source. */
  source: string;
  lookup: LookupFunction;
  targets: Targets;
  timeoutMs: number;
  clock: Clock;
  log: Log;
}): Record<string, EffectHandler> => {
  const { query, factLog, render, source, lookup, targets, timeoutMs, clock, log } = deps;

  /** The event as it is sent, with its trace; null: it is not in the log any more. */
  const read = async ({ id, type, stream, seq }: Delivered, at: number) => {
    if (seq === null) {
      const test = { id, type, stream, actorId: stream, at, seq, ownerSeq: null, traceparent: null };
      return { json: JSON.stringify(envelopeOf(test, source, { webhook_id: stream })), traceparent: null };
    }
    const [fact] = await factLog.read(stream, seq - 1, 1);
    if (fact?.seq !== seq) return null;
    return { json: JSON.stringify(envelopeOf(fact, source, await render(fact))), traceparent: fact.traceparent };
  };

  const post = async (
    { url, secret, previous_secret }: Target,
    { id, json, trace }: { id: string; json: string; trace: string | null },
    signal: AbortSignal,
  ) => {
    const at = clock.now();
    const secrets = previous_secret === null ? [secret] : [secret, previous_secret];
    const late = AbortSignal.timeout(timeoutMs);
    const headers = {
      "Content-Type": "application/cloudevents+json; charset=utf-8",
      "Content-Length": String(Buffer.byteLength(json)),
      Accept: "*/*",
      "Accept-Encoding": "identity",
      "User-Agent": "darkroom",
      ...(trace !== null && { traceparent: trace }),
      ...signStandard(secrets, { id, at, body: json }),
    };
    const began = performance.now();
    const flaw = flawOf(url, targets);
    const exchanged: Exchanged =
      flaw === null
        ? await exchange(new URL(url), {
            method: "POST",
            headers,
            payload: json,
            signal: AbortSignal.any([late, signal]),
            limitMs: timeoutMs + MARGIN_MS,
            maxBytes: ANSWER_BYTES,
            lookup,
          })
        : { kind: "not_sent", reason: flaw, error: new AddressError(flaw) };
    return { exchanged, late: late.aborted, ms: Math.round(performance.now() - began) };
  };

  const attempt = async (
    endpoint: string,
    { n, event }: Params,
    { confirmSend, signal }: Pick<EffectCall, "confirmSend" | "signal">,
  ): Promise<MachineEvent> => {
    const [target] = await query<Target>("endpointToSend", [endpoint, new Date(clock.now())]);
    if (!target) return { type: "dropped", code: "deleted" };
    if (target.disabled_at !== null) return { type: "notSent", n };
    const found = await read(event, clock.now());
    if (!found) return { type: "dropped", code: "erased" };
    if (Buffer.byteLength(found.json) > MOST_BYTES) return { type: "dropped", code: "too_large" };
    confirmSend();
    const { exchanged, late, ms } = await post(
      target,
      { id: event.id, json: found.json, trace: found.traceparent },
      signal,
    );
    if (exchanged.kind !== "answer") return { type: "unanswered", n, ms, code: codeOf(exchanged, late) };
    const { status, headers, text } = exchanged;
    const afterMs = BUSY.has(status) ? (retryAfterMs(headers, null, clock.now()) ?? 0) : 0;
    return { type: "answered", n, ms, status, response: excerptOf(text), afterMs };
  };

  return {
    deliver: {
      timeoutMs: timeoutMs + MARGIN_MS,
      concurrency: AT_ONCE,
      run: async (call) => {
        const { actor, params } = call;
        try {
          return await attempt(actor.stream, params as Params, call);
        } catch (error) {
          if (error instanceof NotSent || call.signal.aborted) throw error;
          // Ours: it could not be read or rendered.
          log.warn({ err: error, delivery_id: actor.id }, "a webhook could not be made");
          return { type: "unanswered", n: params.n, ms: 0, code: "internal" };
        }
      },
      failed: ({ n }, error) =>
        error instanceof NotSent
          ? { type: "notSent", n }
          : { type: "unanswered", n, ms: timeoutMs + MARGIN_MS, code: "timeout" },
    },
  };
};
