import type { Law } from "./checker.ts";
import type { Bill, Evidence } from "./evidence.ts";

/** What the clock of the database and a provider's may differ by on a busy machine. */
const CLOCKS_MS = 500;

/** How a bill is accounted for. */
export type Fate = "adopted" | "orphan" | "unknown";

/** Whether a ref, which may have more words than one, is of what was billed. */
const isNamed = (ref: string | null, { id }: Bill) => ref === id || (ref?.split(/[ /]/).includes(id) ?? false);

/**
 * What became of each bill as far as rows and facts tell. An attempt that is over and done with was adopted: how many
 * of those there may be is counted by the acceptances that were told.
 */
export const fatesOf = ({ bills, facts, actors }: Pick<Evidence, "bills" | "facts" | "actors">) => {
  const orphans = facts.filter(({ type }) => type === "job.orphaned");
  const ofAttempt = new Map(actors.flatMap((actor) => (actor.context.attempt ? [[actor.context.attempt, actor]] : [])));
  return bills.map((bill): { bill: Bill; fate: Fate | null } => {
    if (orphans.some(({ ref }) => isNamed(ref, bill))) return { bill, fate: "orphan" };
    const latest = ofAttempt.get(bill.attempt ?? "");
    if (!latest || isNamed(latest.context.ref, bill)) return { bill, fate: "adopted" };
    return { bill, fate: latest.context.error?.code === "submit_unknown" ? "unknown" : null };
  });
};

/** Those who stop what they are told to stop, whenever they are told. */
const STOPPABLE = new Set(["replicate", "fal"]);

/** What was paid for and came to its end was delivered: a job that stopped early has stopped the provider, too. */
export const checkPictures: Law = ({ bills, actors }, accuse) => {
  const byId = new Map(actors.map((actor) => [actor.id, actor]));
  for (const bill of bills) {
    const { status, context } = byId.get(bill.job ?? "") ?? {};
    if (!context || !isNamed(context.ref, bill) || !STOPPABLE.has(bill.provider)) continue;
    if ((status === "TIMEOUT" || status === "CANCELED") && bill.ending !== "canceled") {
      accuse(`a job that is ${status} of a picture that is ${bill.ending}`, bill.job ?? undefined);
    }
  }
};

/** Every attempt was billed at most once, after its commit, and somebody knows what became of each bill. */
export const checkBills: Law = (evidence, accuse) => {
  const { bills, facts, actors, transitions } = evidence;
  const known = new Set(actors.map(({ id }) => id));
  const byAttempt = new Map(actors.map((actor) => [actor.context.attempt, actor.id]));
  for (const [attempt, same] of Map.groupBy(bills, ({ attempt }) => attempt)) {
    const [{ id, job } = { id: "", job: null }] = same;
    const whose = job ?? byAttempt.get(attempt) ?? undefined;
    if (attempt === null) accuse(`a bill of no attempt: ${id}`);
    else if (same.length > 1) accuse(`an attempt that was billed ${same.length} times: ${attempt}`, whose);
  }
  const begun = Map.groupBy(
    transitions.filter(({ effects }) => effects.includes("submit")),
    ({ actor }) => actor,
  );
  const fates = fatesOf(evidence);
  for (const { bill, fate } of fates) {
    const { id, job, at, ending, provider } = bill;
    if (job !== null && !known.has(job)) accuse(`a bill of no job: ${id}`);
    if (fate === null) accuse(`a bill that nobody knows of: ${id}`, job ?? undefined);
    if (fate === "orphan" && ending === null) accuse(`an orphan that goes on: ${id}`, job ?? undefined);
    const first = job === null ? undefined : begun.get(job)?.[0]?.at;
    if (first !== undefined && provider !== "simulated" && at < first - CLOCKS_MS) {
      accuse(`billed ${first - at} ms before it was committed: ${id}`, job ?? undefined);
    }
  }
  const adopted = fates.filter(({ fate }) => fate === "adopted").map(({ bill }) => bill);
  const accepted = facts.filter(({ type }) => type === "job.accepted");
  for (const [provider, told] of Map.groupBy(accepted, ({ provider }) => provider)) {
    const billed = adopted.filter((bill) => bill.provider === provider);
    if (billed.length !== told.length) accuse(`${told.length} acceptances by ${provider} of ${billed.length} bills`);
  }
  const ofJob = Map.groupBy(
    adopted.filter(({ provider }) => provider !== "simulated"),
    ({ job }) => job,
  );
  const toldOf = Map.groupBy(
    accepted.filter(({ provider }) => provider !== "simulated"),
    ({ actor }) => actor,
  );
  for (const job of new Set([...ofJob.keys(), ...toldOf.keys()])) {
    const [billed, told] = [ofJob.get(job)?.length ?? 0, toldOf.get(job ?? "")?.length ?? 0];
    if (billed !== told) accuse(`${told} acceptances of ${billed} bills`, job ?? undefined);
  }
};
