/** The laws, read from the store's tables, the providers' books and the clients' logs alone. */
import type { Client } from "./clients.ts";
import type { Order } from "./customers.ts";
import { checkDealings, checkTries } from "./checker-accounts.ts";
import { checkBills, checkPictures } from "./checker-bills.ts";
import { storyOf } from "./story.ts";
import { countTurns } from "./store.ts";
import type { Tables } from "./tables.ts";
import type { Bill, ProviderName } from "./upstream.ts";

export type Evidence = {
  tables: Tables;
  bills: readonly Bill[];
  clients: readonly Client[];
  orders: readonly Order[];
  published: ReadonlyMap<string, ReadonlySet<number>>;
  /** Status calls that came to each provider. */
  checked: ReadonlyMap<ProviderName, number>;
};

/** Somebody broke a law. */
export class LawBroken extends Error {
  override name = "LawBroken";
}

/** Throws with the story of the actor, if there is one. */
export type Accuse = (what: string, actor?: string) => never;
export const accuser =
  ({ tables, bills }: Pick<Evidence, "tables" | "bills">): Accuse =>
  (what, actor) => {
    throw new LawBroken(actor === undefined ? what : `${what}\n${storyOf(tables, bills, actor)}`);
  };

/** What holds at every moment: reserves are what the actors hold, and everyone waits for something. */
export const checkNow = (evidence: Pick<Evidence, "tables" | "bills">) => {
  const { tables } = evidence;
  const accuse = accuser(evidence);
  const held = new Map<string, number>();
  for (const { id, kind, state, account, wake_at, parked_reason } of tables.live.values()) {
    if (parked_reason !== null) accuse(`a parked actor: ${parked_reason}`, id);
    if (kind !== "batch" && wake_at === null) accuse("an actor that waits for nothing", id);
    if (account !== null && state.startsWith("active.")) held.set(account, (held.get(account) ?? 0) + 1);
  }
  for (const { id, slots, in_use } of tables.accounts.values()) {
    if (in_use > slots) accuse(`${id} has ${in_use} of ${slots} slots in use`);
    if (in_use !== (held.get(id) ?? 0)) accuse(`${id} has ${in_use} slots in use, and ${held.get(id) ?? 0} jobs`);
  }
  const waiting = countTurns(tables);
  for (const [key, turn] of tables.turns) {
    if (turn.waiting !== (waiting.get(key) ?? 0))
      accuse(`${turn.waiting} wait in ${key}, not ${waiting.get(key) ?? 0}`);
    waiting.delete(key);
  }
  if (waiting.size > 0) accuse(`${[...waiting.keys()]} wait for no turn`);
};

const ENDED = /^(succeeded|failed|timeout|canceled|partial)$/;

export const checkActors = ({ tables, orders }: Evidence, accuse: Accuse) => {
  for (const { id, state, finished_at, wake_at, parked_reason, version } of tables.actors.values()) {
    if (finished_at === null || !ENDED.test(state) || parked_reason !== null) accuse("an actor that has not ended", id);
    if (wake_at !== null) accuse("an actor that wants to be woken after its end", id);
    const steps = tables.transitions.get(id) ?? [];
    if (steps.length !== version || steps.some((step, n) => step.version !== n + 1)) accuse("a history with a gap", id);
    const outputs = tables.outputs.get(id)?.length ?? 0;
    if (tables.jobs.has(id) && outputs !== (state === "succeeded" ? 1 : 0)) accuse(`${outputs} outputs`, id);
  }
  const ordered = orders.flatMap(({ jobs }) => jobs);
  if (new Set(ordered).size !== ordered.length) accuse("two orders of one job");
  for (const id of ordered) if (!tables.jobs.has(id)) accuse(`an order that was lost: ${id}`);
  if (ordered.length !== tables.jobs.size) accuse(`${tables.jobs.size} jobs of ${ordered.length} orders`);
  if (tables.inbox.size > 0) accuse("a letter that nobody read", [...tables.inbox.keys()][0]);
};

const WORDS: Record<string, string> = {
  SUCCEEDED: "succeeded",
  FAILED: "failed",
  TIMEOUT: "timeout",
  CANCELED: "canceled",
};

export const checkBatches = ({ tables, orders }: Evidence, accuse: Accuse) => {
  for (const { batch, jobs } of orders) {
    if (batch === null) continue;
    const words = jobs.map((id) => String(tables.actors.get(id)?.status));
    const [word = ""] = words;
    const alike = words.every((other) => other === word);
    const wanted = alike ? WORDS[word] : words.includes("SUCCEEDED") ? "partial" : "failed";
    const { state, snapshot } = tables.actors.get(batch) ?? { state: "gone", snapshot: "{}" };
    if (state !== wanted) accuse(`a batch of ${words} that is ${state}`, batch);
    const { ends = {} } = (JSON.parse(snapshot) as { context: { ends?: object } }).context;
    if (JSON.stringify(ends) !== JSON.stringify({ ...words }))
      accuse(`a batch of ${words} that counts otherwise`, batch);
  }
};

/** Every fact carries the trace of the order that it follows from. */
const checkTraces = ({ tables, orders }: Evidence, accuse: Accuse) => {
  const traces = new Map(
    orders.flatMap(({ jobs, batch, traceparent }) => [...jobs, batch ?? ""].map((id) => [id, traceparent] as const)),
  );
  for (const { actor_id, traceparent } of [...tables.facts.values()].flat()) {
    if (traceparent !== traces.get(actor_id)) accuse(`a fact that is owed to ${traceparent}`, actor_id);
  }
};

export const checkStreams = ({ tables, published }: Evidence, accuse: Accuse) => {
  const owners = new Map<string, number[]>();
  for (const { id, seq } of tables.streams.values()) {
    const facts = tables.facts.get(id) ?? [];
    if (facts.length !== seq || facts.some((fact, n) => fact.seq !== n + 1)) accuse(`the stream ${id} has a gap`);
    if (new Set(facts.map((fact) => fact.id)).size !== seq) accuse(`the stream ${id} says a thing twice`);
    const sent = [...(published.get(id) ?? [])];
    if (sent.length !== seq || sent.some((n, place) => n !== place + 1)) accuse(`${id} was published as ${sent}`);
    for (const { owner_id, owner_seq } of facts) {
      const seqs = owners.get(owner_id) ?? [];
      owners.set(owner_id, seqs);
      seqs.push(owner_seq);
    }
  }
  for (const [owner, seqs] of owners) {
    const sorted = seqs.toSorted((a, b) => a - b);
    if (sorted.some((seq, n) => seq !== n + 1) || sorted.length !== tables.users.get(owner)) {
      accuse(`what ${owner} owns has a gap`);
    }
  }
};

const checkClients = ({ tables, clients }: Evidence, accuse: Accuse) => {
  for (const { stream, seen, resets } of clients) {
    const facts = tables.facts.get(stream) ?? [];
    if (resets > 0) accuse(`a client of ${stream} was told to start over`);
    const wrong = facts.findIndex(({ id }, n) => seen[n]?.id !== id);
    if (wrong >= 0 || seen.length !== facts.length) {
      accuse(`a client of ${stream} saw ${seen.map(({ seq }) => seq)} of ${facts.length}`, facts[0]?.actor_id);
    }
  }
};

/** What holds when everything has come to rest. */
export const checkEnd = (evidence: Evidence) => {
  const accuse = accuser(evidence);
  checkNow(evidence);
  checkActors(evidence, accuse);
  checkBills(evidence, accuse);
  checkPictures(evidence, accuse);
  checkDealings(evidence, accuse);
  checkTries(evidence, accuse);
  checkBatches(evidence, accuse);
  checkStreams(evidence, accuse);
  checkTraces(evidence, accuse);
  checkClients(evidence, accuse);
};
