/** Of one actor: what happened, for whoever reads a failure. */
import type { Tables } from "./tables.ts";
import type { Bill } from "./upstream.ts";

const at = (ms: number) => new Date(ms).toISOString().slice(11, 23);

/** Its transitions, facts and bills, and where its row stands. */
export const storyOf = (tables: Tables, bills: readonly Bill[], id: string): string => {
  const actor = tables.actors.get(id);
  if (!actor) return `${id} is no actor`;
  const steps = (tables.transitions.get(id) ?? []).map(
    ({ version, at: ms, committedAt, event, to, effects, folded, attempt, ref, reason }) =>
      `  ${version} ${at(ms)} (committed ${at(committedAt)}) ${event} → ${to} [${effects}] ${folded} ${attempt?.slice(-6)} ${ref} ${reason ?? ""}`,
  );
  const facts = (tables.facts.get(actor.stream_id) ?? [])
    .filter(({ actor_id }) => actor_id === id)
    .map(({ seq, at: ms, type, data }) => `  ${seq} ${at(ms)} ${type} ${data.ref ?? ""}`);
  const billed = bills
    .filter(({ job }) => job === id)
    .map((bill) => `  ${JSON.stringify({ ...bill, at: at(bill.at) })}`);
  const { snapshot, ...row } = actor;
  return [JSON.stringify(row), snapshot, "transitions", ...steps, "facts", ...facts, "bills", ...billed].join("\n");
};
