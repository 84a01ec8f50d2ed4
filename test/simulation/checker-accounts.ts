/** Of accounts: what they let through, worked out anew from what they were told; of jobs: what a wait may cost them. */
import type { JobContext } from "../../machines/job.context.ts";
import type { Accuse, Evidence } from "./checker.ts";
import { CONFIG } from "./settings.ts";
import type { Dealing } from "./tables.ts";
import { type ProviderName, RATES } from "./upstream.ts";

const PROBE_MS = 30_000;
const PACED_MS = 300_000;
const MINUTE_MS = 60_000;
/** Instants are kept to the microsecond. */
const EXACT_MS = 0.01;

/** A paused account starts nothing but its one probe, and no sooner than it was told to pause for at least. */
const checkPauses = (dealings: readonly Dealing[], accuse: Accuse) => {
  let pause: { until: number; probe: string | null } | null = null;
  let pace = { ms: 0, until: 0 };
  for (const { account, at, starts = [], opens = [], pauses = [] } of dealings) {
    const [first] = starts;
    if (pause !== null && first !== undefined) {
      const early = pause.until - at;
      if (early > EXACT_MS) accuse(`${account} is paused for ${early} ms more, and starts`, first);
      if (starts.length > 1) accuse(`${account} is paused, and lets ${starts.length} through at once`, first);
      pause = { until: at + PROBE_MS, probe: first };
    }
    if (pause !== null && pause.probe !== null && opens.includes(pause.probe)) {
      if (pace.until > at) pause = { until: at + pace.ms, probe: null };
      else pause = null;
    }
    if (pauses.length === 0) continue;
    const { probe, until } = pause ?? { probe: null, until: 0 };
    const ofProbe = pauses.find(({ actor }) => actor !== null && actor === probe);
    const [longest] = pauses.toSorted((a, b) => b.ms - a.ms);
    const heard = ofProbe ?? longest;
    if (!heard) continue;
    pause = ofProbe ? { until: at + heard.ms, probe: null } : { until: Math.max(until, at + heard.ms), probe };
    if (heard.pace_ms !== null) pace = { ms: heard.pace_ms, until: at + PACED_MS };
  }
};

/** No minute sees more than the rate. `instants` are in order. */
const checkRate = (instants: readonly number[], rate: number | undefined, what: string, accuse: Accuse) => {
  if (rate === undefined) return;
  instants.forEach((at, n) => {
    const later = instants[n + rate];
    if (later !== undefined && later - at < MINUTE_MS - EXACT_MS) accuse(`more than ${rate} ${what} within a minute`);
  });
};

/** While a provider wants no status calls, nobody gets leave to make one. */
const checkHolds = (dealings: readonly Dealing[], accuse: Accuse) => {
  let until = 0;
  for (const { account, at, checks = 0, heldMs } of dealings) {
    if (checks > 0 && until - at > EXACT_MS) accuse(`${account} wants no status calls, and ${checks} are let through`);
    if (heldMs !== undefined) until = Math.max(until, at + heldMs);
  }
};

export const checkDealings = ({ tables, checked }: Evidence, accuse: Accuse) => {
  for (const [account, dealings] of Map.groupBy(tables.dealings, (dealing) => dealing.account)) {
    checkPauses(dealings, accuse);
    checkHolds(dealings, accuse);
    const { submits, checks } = RATES[account as ProviderName];
    const starts = dealings.flatMap(({ at, starts = [] }) => starts.map(() => at));
    checkRate(starts, submits, `starts on ${account}`, accuse);
    const leased = dealings.flatMap(({ at, checks = 0 }) => Array<number>(checks).fill(at));
    checkRate(leased, checks, `status calls to ${account}`, accuse);
    const calls = checked.get(account as ProviderName) ?? 0;
    if (checks !== undefined && calls > leased.length)
      accuse(`${calls} status calls to ${account}, not ${leased.length}`);
  }
};

const OF_ACCOUNT = ["rate_limited", "low_credit", "out_of_credit", "unreachable", "breaker_open"];

/** Who is sent back into the queue for what its account said keeps its tries, and does not fail for it. */
export const checkTries = ({ tables }: Evidence, accuse: Accuse) => {
  const most = CONFIG.RETRY_LIMIT + 1;
  for (const id of tables.jobs.keys()) {
    const { state, snapshot } = tables.actors.get(id) ?? { state: "", snapshot: "{}" };
    const { attempts, error, expired } = (JSON.parse(snapshot) as { context: JobContext }).context;
    const steps = tables.transitions.get(id) ?? [];
    const submits = steps.filter(({ effects }) => effects.includes("submit")).length;
    const waits = steps.filter(({ from, to }) => from?.startsWith("active.") && to === "queued").length;
    if (attempts !== submits - waits) accuse(`${submits} submits and ${waits} waits are no ${attempts} tries`, id);
    if (attempts > most) accuse(`${attempts} tries of ${most}`, id);
    if (state !== "failed" || error === null) continue;
    if (OF_ACCOUNT.includes(error.code)) accuse(`a job that fails for what its account said: ${error.code}`, id);
    const worthAnother = ["worth_another", "busy", "not_sent"].includes(error.code) && !expired;
    if (worthAnother && attempts < most) accuse(`a job that fails with ${attempts} tries of ${most}`, id);
  }
};
