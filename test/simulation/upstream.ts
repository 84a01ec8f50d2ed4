/** The providers as they are out there, scripted by the seed: they outlive every node and keep the books. */
import type { Random } from "../../src/embedded/simulated/drawing/random.ts";
import type { CancelOutcome, CheckOutcome, FindOutcome, Generation, Provider, SubmitOutcome } from "../../src/ports.ts";
import type { Time } from "./time.ts";

export type ProviderName = "idempotent" | "findable" | "blind";
export const PROVIDERS: Record<ProviderName, Provider["capabilities"]> = {
  idempotent: { idempotentSubmit: true, findable: false, webhooks: false, cancel: true },
  findable: { idempotentSubmit: false, findable: true, webhooks: true, cancel: true },
  blind: { idempotentSubmit: false, findable: false, webhooks: true, cancel: false },
};

/** What the accounts let through a minute; what is not there has no limit that anybody knows. */
export const RATES: Record<ProviderName, { submits?: number; checks?: number }> = {
  idempotent: { submits: 40, checks: 120 },
  findable: { submits: 30 },
  blind: {},
};

/** How an account is: what it answers to every submit while that lasts. */
type Mood = "well" | "rate_limited" | "low_credit" | "out_of_credit" | "down";
/** Shares of the bad ones, and how long they last at most, ms. */
const MOODS: [Mood, number, number][] = [
  ["rate_limited", 0.5, 40_000],
  ["low_credit", 0.15, 60_000],
  ["out_of_credit", 0.2, 120_000],
  ["down", 0.15, 12_000],
];
const WELL_MS = 150_000;

type End = "completed" | "empty" | "failed" | "worth_another" | "moderated" | "canceled" | "gone" | "never";

/** One billable submit. */
export type Bill = {
  provider: ProviderName;
  job: string;
  attempt: string;
  ref: string;
  at: number;
  startsAt: number;
  endsAt: number;
  end: End;
  /** When it was told to stop, and did. */
  canceledAt: number | null;
};

export type Upstream = {
  bills: Bill[];
  /** Status calls that came, by provider. */
  checked: Map<ProviderName, number>;
  submit(provider: ProviderName, generation: Generation): SubmitOutcome;
  find(attempt: string): FindOutcome;
  check(provider: ProviderName, ref: string): CheckOutcome;
  cancel(provider: ProviderName, ref: string): CancelOutcome;
};

const ENDS: [End, number][] = [
  ["completed", 0.8],
  ["worth_another", 0.06],
  ["failed", 0.03],
  ["moderated", 0.03],
  ["empty", 0.01],
  ["gone", 0.01],
  ["canceled", 0.01],
  ["never", 0.05],
];

const endOf = (random: Random): End => {
  let draw = random.next();
  return ENDS.find(([, share]) => (draw -= share) < 0)?.[0] ?? "completed";
};

/** `called`: something changed that a webhook would tell of. `billsTwice`: what a broken provider would do. */
export const createUpstream = (
  time: Time,
  random: Random,
  called: (bill: Bill) => void,
  faults: { billsTwice?: boolean } = {},
): Upstream => {
  const bills: Bill[] = [];
  const byRef = new Map<string, Bill>();
  const byAttempt = new Map<string, Bill>();
  /** An idempotent provider stays with its word. */
  const refused = new Set<string>();

  const checked = new Map<ProviderName, number>();
  const moods = new Map<ProviderName, { mood: Mood; until: number }>();

  const moodOf = (provider: ProviderName): Mood => {
    let { mood, until }: { mood: Mood; until: number } = moods.get(provider) ?? { mood: "down", until: time.now() };
    while (until <= time.now()) {
      let draw = random.next();
      const [next, , mostMs] = MOODS.find(([, share]) => (draw -= share) < 0) ?? ["rate_limited", 1, 10_000];
      const lastsMs = mood === "well" ? 2_000 + mostMs * random.next() : -Math.log(1 - random.next()) * WELL_MS;
      mood = mood === "well" ? next : "well";
      until += lastsMs;
    }
    moods.set(provider, { mood, until });
    return mood;
  };

  /** What it says to any submit at the moment, whatever is in it; null: it looks at it. */
  const turnAway = (provider: ProviderName): SubmitOutcome | null => {
    switch (moodOf(provider)) {
      case "down":
        throw new Error("503");
      case "out_of_credit":
        return { kind: "rejected", retryable: false, code: "out_of_credit", message: "It wants to be paid first" };
      case "low_credit":
        return { kind: "rejected", retryable: true, code: "low_credit", afterMs: random.whole(2_000, 8_000) };
      case "rate_limited":
        return { kind: "rejected", retryable: true, code: "rate_limited", afterMs: random.between(200, 10_000) };
      case "well": {
        const limited = random.chance(0.015);
        return limited ? { kind: "rejected", retryable: true, code: "rate_limited", afterMs: 500 } : null;
      }
    }
  };

  const accept = (provider: ProviderName, { attempt, prompt }: Generation): SubmitOutcome => {
    const at = time.now();
    const startsAt = at + 8_000 * random.next() ** 3;
    // A few are late: beyond the limit of the job, or by hours.
    const tookMs = random.chance(0.04) ? random.between(100_000, 400_000) : random.between(500, 40_000);
    const end = endOf(random);
    const ref = `ref-${bills.length + 1}`;
    const bill: Bill = {
      provider,
      job: prompt,
      attempt,
      ref,
      at,
      startsAt,
      endsAt: end === "never" ? Number.POSITIVE_INFINITY : startsAt + tookMs,
      end,
      canceledAt: null,
    };
    bills.push(bill);
    byRef.set(ref, bill);
    byAttempt.set(attempt, bill);
    if (end !== "never") time.after(bill.endsAt - at, () => called(bill));
    return { kind: "accepted", ref };
  };

  const ended = ({ end }: Bill): CheckOutcome => {
    switch (end) {
      case "completed":
        return { kind: "completed", outputs: [{ url: "simulated:picture" }] };
      case "empty":
        return { kind: "completed", outputs: [] };
      case "failed":
      case "worth_another":
        return { kind: "failed", code: end, message: end, retryable: end === "worth_another" };
      case "moderated":
      case "canceled":
      case "gone":
        return { kind: end };
      case "never":
        return { kind: "unknown", reason: "it never ends" };
    }
  };

  return {
    bills,
    checked,
    submit: (provider, generation) => {
      const away = turnAway(provider);
      if (away) return away;
      const known = byAttempt.get(generation.attempt);
      if (known && PROVIDERS[provider].idempotentSubmit && !faults.billsTwice)
        return { kind: "accepted", ref: known.ref };
      const draw = refused.has(generation.attempt) ? 0.05 : random.next();
      if (draw < 0.04) return { kind: "rejected", retryable: true, code: "busy", afterMs: random.between(0, 20_000) };
      if (draw < 0.06) {
        if (PROVIDERS[provider].idempotentSubmit) refused.add(generation.attempt);
        return { kind: "rejected", retryable: false, code: "refused", message: "It does not want to" };
      }
      if (draw < 0.07) return { kind: "ambiguous", reason: "500" };
      const answer = accept(provider, generation);
      return draw < 0.09 ? { kind: "ambiguous", reason: "502" } : answer;
    },
    find: (attempt) => {
      const bill = byAttempt.get(attempt);
      if (random.chance(0.1)) return { kind: "unknown" };
      // Its index lags behind.
      return bill && time.now() > bill.at + 3_000 ? { kind: "found", ref: bill.ref } : { kind: "absent" };
    },
    check: (provider, ref) => {
      checked.set(provider, (checked.get(provider) ?? 0) + 1);
      const mood = moodOf(provider);
      if (mood === "down") throw new Error("503");
      if (random.chance(mood === "rate_limited" ? 0.2 : 0.002))
        return { kind: "unknown", reason: "429", throttledMs: random.between(100, 5_000) };
      const bill = byRef.get(ref);
      const now = time.now();
      if (random.chance(0.03)) return { kind: "unknown", reason: "503" };
      if (!bill) return { kind: "gone" };
      if (bill.canceledAt !== null) return { kind: "canceled" };
      if (now >= bill.endsAt) return ended(bill);
      if (now < bill.startsAt) return { kind: "queued", position: 1 };
      return { kind: "running", progress: Math.min(0.99, (now - bill.startsAt) / 60_000) };
    },
    cancel: (provider, ref) => {
      if (moodOf(provider) === "down") throw new Error("503");
      const bill = byRef.get(ref);
      if (!bill || time.now() >= bill.endsAt) return { kind: "already_finished" };
      if (random.chance(0.15)) return { kind: "refused" };
      const heard = !random.chance(0.1);
      if (heard || random.chance(0.5)) {
        bill.canceledAt ??= time.now();
        called(bill);
      }
      return heard ? { kind: "canceled" } : { kind: "unknown", reason: "504" };
    },
  };
};
