import type { Accuse, Evidence } from "./checker.ts";
import { CONFIG } from "./settings.ts";
import { PROVIDERS } from "./upstream.ts";

/** The longest that a request which was sent in time may be under way. */
const ON_THE_WAY_MS = 8_100;

/** A picture that was there so long before the job's end was there at its last look, too. */
const LONG_MS = 60_000;

/** No job times out whose picture is there: an outage of ours is not the customer's. */
export const checkPictures = ({ tables, bills }: Evidence, accuse: Accuse) => {
  for (const { job, attempt, ref, end, endsAt, canceledAt, provider } of bills) {
    // Who cannot cancel does not say either that there is nothing to cancel.
    if (!PROVIDERS[provider].cancel) continue;
    const last = tables.transitions.get(job)?.at(-1);
    if (last?.to !== "timeout" || last.attempt !== attempt || last.ref !== ref) continue;
    const there = end === "completed" && canceledAt === null && endsAt < last.committedAt - LONG_MS;
    const { cancel } = (JSON.parse(tables.actors.get(job)?.snapshot ?? "{}") as { context: { cancel: string | null } })
      .context;
    if (there && cancel === null) accuse(`a paid picture that was thrown away: ${ref}`, job);
  }
};

/** Every billed attempt is one of ours, was billed once and in time, and somebody knows what became of it. */
export const checkBills = ({ tables, bills }: Evidence, accuse: Accuse) => {
  const times = Map.groupBy(bills, ({ attempt }) => attempt);
  for (const { job, attempt, ref, at, provider } of bills) {
    if (times.get(attempt)?.length !== 1) accuse(`an attempt that was billed twice: ${attempt}`, job);
    const steps = (tables.transitions.get(job) ?? []).filter((step) => step.attempt === attempt);
    const [begun] = steps;
    if (!begun) return accuse(`a bill of an attempt that was never begun: ${ref}`, job);
    if (at < begun.committedAt) accuse(`billed before its commit: ${ref}`, job);
    // An idempotent provider is asked again when the outcome is not known.
    const late = at - begun.committedAt - CONFIG.NOT_AFTER_MS - ON_THE_WAY_MS;
    if (late > 0 && provider !== "idempotent") accuse(`sent ${late} ms later than allowed: ${ref}`, job);
    const facts = tables.facts.get(tables.actors.get(job)?.stream_id ?? "") ?? [];
    const orphaned = facts.some(
      ({ type, actor_id, data }) => type === "job.orphaned" && actor_id === job && data.ref === ref,
    );
    const adopted = steps.some((step) => step.ref === ref);
    if (!adopted && !orphaned && !isUnknown(tables.actors.get(job)?.snapshot ?? "", attempt)) {
      accuse(`a bill that nobody knows of: ${ref}`, job);
    }
  }
};

/** The job says that it could not find out. */
const isUnknown = (snapshot: string, attempt: string): boolean => {
  const { context } = JSON.parse(snapshot) as { context: { attempt: string | null; error: { code: string } | null } };
  return context.attempt === attempt && context.error?.code === "submit_unknown";
};
