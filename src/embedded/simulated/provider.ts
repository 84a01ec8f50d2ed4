import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { Classified } from "../../errors.ts";
import type { Log } from "../../log.ts";
import type { Generation, Provider, SubmitOutcome } from "../../ports.ts";
import { answerAt, isOver, parseOutputUrl } from "./answer.ts";
import { drawOf } from "./drawing/random.ts";
import { faultsIn } from "./faults.ts";
import type { Ledger } from "./ledger.ts";
import { planOf, type Temper } from "./plan.ts";
import { createSeal } from "./ref.ts";
import { renderMedia } from "./render.ts";
import { createTurns } from "./turns.ts";
import { until } from "./until.ts";

export type SimulatedProviderDeps = Temper & {
  ledger: Ledger;
  /** Milliseconds since the epoch, the same on all nodes. */
  now(): number;
  /** Signs refs; all nodes share it. */
  secret: string;
  /** Share of submits, 0 to 1, that are billed although their answer is lost. */
  lostRate: number;
  log: Log;
};

const FAIL_TWICE_MS = 5 * 60_000;
const BUSY_MS = 1_000;
const RENDERS_AT_ONCE = 2;
const RENDERS_WAITING = 256;
const OUTAGE = "the ledger did not answer";

const fingerprint = ({ model, tool, prompt, params }: Generation) =>
  createHash("sha256")
    .update(JSON.stringify([model, tool, prompt, params]))
    .digest("base64url");

/**
 * A generation service inside the process that behaves like a slow, billable, unreliable one and draws
 * real pictures. Refs describe themselves, so any node, and a restarted one, answers for any of them;
 * what was billed and canceled is in the ledger. `faults.ts` lists what words in a prompt do.
 */
export const createSimulatedProvider = (deps: SimulatedProviderDeps): Provider => {
  const { ledger, now, lostRate, log } = deps;
  const { seal, open } = createSeal(deps.secret);
  const inTurn = createTurns(RENDERS_AT_ONCE, RENDERS_WAITING);

  const outage = (err: unknown, attempt: string, signal: AbortSignal) => {
    if (signal.aborted) return "timeout";
    log.warn({ err, attempt, provider: "simulated" }, OUTAGE);
    return OUTAGE;
  };

  /** Bills the attempt once and says what the caller gets to hear of it. */
  const bill = async (generation: Generation): Promise<SubmitOutcome> => {
    const { attempt, prompt } = generation;
    const faults = faultsIn(prompt);
    const at = now();
    const request = faults.has("fail-twice") ? fingerprint(generation) : null;
    const failsFirst = request !== null && (await ledger.count(request, at - FAIL_TWICE_MS)) < 2;
    const plan = planOf(generation, at, deps, failsFirst);
    const { ref, first } = await ledger.record({ attempt, ref: seal(plan), at: plan.at, request });
    log.debug({ attempt, first, provider: "simulated" }, "simulated submit");
    const lost = first && (faults.has("lost") || drawOf(`${attempt}/lost`) < lostRate);
    if (lost || faults.has("vanish")) return { kind: "ambiguous", reason: "simulated connection reset" };
    return { kind: "accepted", ref };
  };

  return {
    name: "simulated",
    capabilities: { idempotentSubmit: true, findable: true, webhooks: false, cancel: true },

    submit: async (generation, signal) => {
      const faults = faultsIn(generation.prompt);
      if (faults.has("busy") || signal.aborted) {
        const code = signal.aborted ? "not_sent" : "provider_busy";
        return { kind: "rejected", retryable: true, code, afterMs: BUSY_MS };
      }
      if (faults.has("reject")) {
        const message = "The simulated provider rejected this request";
        return { kind: "rejected", retryable: false, code: "invalid_request", message };
      }
      return until(bill(generation), signal).catch(
        (err): SubmitOutcome => ({ kind: "ambiguous", reason: outage(err, generation.attempt, signal) }),
      );
    },

    find: async (attempt, _submittedAt, signal) => {
      try {
        const known = await until(ledger.find(attempt), signal);
        if (!known) return { kind: "absent" };
        return open(known.ref)?.findable === false ? { kind: "unknown" } : { kind: "found", ref: known.ref };
      } catch (err) {
        outage(err, attempt, signal);
        return { kind: "unknown" };
      }
    },

    check: async (ref, signal) => {
      const plan = open(ref);
      if (!plan) return { kind: "gone" };
      try {
        const known = await until(ledger.find(plan.attempt), signal);
        return known?.canceledAt != null ? { kind: "canceled" } : answerAt(plan, ref, now());
      } catch (err) {
        return { kind: "unknown", reason: outage(err, plan.attempt, signal) };
      }
    },

    cancel: async (ref, signal) => {
      const plan = open(ref);
      if (!plan) return { kind: "unknown", reason: "no such ref" };
      try {
        const known = await until(ledger.find(plan.attempt), signal);
        if (!known) return { kind: "unknown", reason: "no such ref" };
        if (known.canceledAt !== null) return { kind: "canceled" };
        const at = now();
        if (isOver(plan, at)) return { kind: "already_finished" };
        if (!plan.cancelable) return { kind: "refused" };
        await until(ledger.cancel(plan.attempt, at), signal);
        return { kind: "canceled" };
      } catch (err) {
        return { kind: "unknown", reason: outage(err, plan.attempt, signal) };
      }
    },

    download: async (output, signal) => {
      const { ref, index } = parseOutputUrl(output.url) ?? { ref: "", index: 0 };
      const plan = open(ref);
      const ready = plan?.ending === "completed" && isOver(plan, now()) && index < plan.count;
      if (!plan || !ready) throw new Classified("output_expired", false, "This simulated output is gone");
      const { bytes, mime } = await until(
        inTurn(() => renderMedia(plan, index, signal), signal),
        signal,
      );
      return { body: Readable.from([bytes]), size: bytes.length, mime };
    },
  };
};
