/** Of one actor: what happened, for whoever reads a failure. */
import type { Evidence } from "./evidence.ts";

const clock = (ms: number) => new Date(ms).toISOString().slice(11, 23);

export const storyOf = ({ actors, transitions, facts, bills, watched }: Evidence, id: string): string => {
  const actor = actors.find((each) => each.id === id);
  if (!actor) return `${id} is no actor`;
  const steps = transitions
    .filter((step) => step.actor === id)
    .map(
      ({ version, at, event, to, effects, folded, reason }) =>
        `  ${version} ${clock(at)} ${event} → ${to} [${effects}] ${folded} ${reason ?? ""}`,
    );
  const told = facts
    .filter(({ actor: whose }) => whose === id)
    .map(({ seq, type, ref }) => `  ${seq} ${type} ${ref ?? ""}`);
  const { attempt } = actor.context;
  const billed = bills
    .filter((bill) => bill.job === id || (attempt !== null && bill.attempt === attempt))
    .map((bill) => `  ${clock(bill.at)} ${JSON.stringify(bill)}`);
  const seen = watched
    .filter(({ stream, job }) => stream === actor.stream && (job === null || job === id))
    .map(
      ({ transport, from, connections, seen }) =>
        `  ${transport} from ${from}, ${connections} connections: ` +
        seen.map(({ connection, node, seq }) => `${seq}@${connection}/${node}`).join(" "),
    );
  const parts = [
    ["transitions", steps],
    ["facts", told],
    ["bills", billed],
    ["clients", seen],
  ] as const;
  return [JSON.stringify(actor), ...parts.flatMap(([title, lines]) => [title, ...lines])].join("\n");
};
