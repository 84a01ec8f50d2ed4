import type { Law } from "./checker.ts";
import type { Actor } from "./evidence.ts";

const ENDED = /^(succeeded|failed|timeout|canceled|partial)$/;
/** A timer that nobody fired so long after its instant will not fire any more. */
const OVERDUE_MS = 5_000;

/** A prompt that asks for another end than a picture. */
const MARKED = /\[[a-z-]+\]/;
/** Of a job that asked for a picture: it was not found out whether it is made, or it came up too late again and again. */
const GOOD_REASONS = new Set(["submit_unknown", "not_sent"]);

/** A batch waits for its jobs alone. */
const isStuck = ({ kind, wakeAt }: Actor, at: number) =>
  kind !== "batch" && (wakeAt === null || wakeAt < at - OVERDUE_MS);

/** Everyone has come to an end, by a history without a gap, and waits for nothing. */
export const checkActors: Law = ({ actors, transitions, outputs, jobs, at }, accuse) => {
  const steps = Map.groupBy(transitions, ({ actor }) => actor);
  const made = Map.groupBy(outputs, ({ job }) => job);
  const prompts = new Map(jobs.map(({ id, prompt }) => [id, prompt]));
  for (const actor of actors) {
    const { id, state, finishedAt, parked, version, wakeAt, status, context } = actor;
    if (parked !== null) accuse(`an actor that is parked: ${parked}`, id);
    else if (finishedAt === null && isStuck(actor, at)) accuse(`a timer that is stuck, in ${state}`, id);
    else if (finishedAt === null || !ENDED.test(state)) accuse(`an actor that has not ended, in ${state}`, id);
    else if (wakeAt !== null) accuse("an actor that wants to be woken after its end", id);
    const history = steps.get(id) ?? [];
    if (history.length !== version || history.some((step, n) => step.version !== n + 1)) {
      accuse(`a history of ${history.map((step) => step.version)} up to version ${version}`, id);
    }
    if (!prompts.has(id)) continue;
    const pictures = made.get(id)?.length ?? 0;
    if (pictures !== (status === "SUCCEEDED" ? 1 : 0)) accuse(`${pictures} pictures of a job that is ${status}`, id);
    if (status === "SUCCEEDED" && context.ref === null) accuse("a picture from nowhere", id);
    const { code = "nothing" } = context.error ?? {};
    if (status === "FAILED" && !MARKED.test(prompts.get(id) ?? "") && !GOOD_REASONS.has(code)) {
      accuse(`a failure that nobody asked for: ${code}`, id);
    }
  }
};

/** What a customer was told to have ordered is there, once, and nothing else is. */
export const checkOrders: Law = ({ orders, jobs }, accuse) => {
  const ordered = orders.reduce((sum, order) => sum + order.jobs, 0);
  if (ordered !== jobs.length) accuse(`${jobs.length} jobs of ${ordered} that were ordered`);
  const told = orders.map(({ id }) => id);
  if (new Set(told).size !== told.length) accuse("two orders were answered with one job");
  const known = new Set(jobs.map(({ id }) => id));
  const batches = Map.groupBy(jobs, ({ batch }) => batch);
  for (const { kind, id, jobs: wanted } of orders) {
    if (kind !== "batch") {
      if (!known.has(id)) accuse(`an order that was lost: ${kind} ${id}`);
      continue;
    }
    const indices = (batches.get(id) ?? []).map(({ index }) => index ?? -1).sort((a, b) => a - b);
    if (indices.length !== wanted || indices.some((index, n) => index !== n)) {
      accuse(`a batch of ${wanted} with jobs ${indices}`, id);
    }
  }
};

const WORDS: Record<string, string> = {
  SUCCEEDED: "succeeded",
  FAILED: "failed",
  TIMEOUT: "timeout",
  CANCELED: "canceled",
};

/** A batch has ended as its jobs have. */
export const checkBatches: Law = ({ actors, jobs }, accuse) => {
  const byId = new Map(actors.map((actor) => [actor.id, actor]));
  for (const [batch, items] of Map.groupBy(jobs, ({ batch }) => batch)) {
    if (batch === null) continue;
    const words = items
      .toSorted((a, b) => (a.index ?? 0) - (b.index ?? 0))
      .map(({ id }) => String(byId.get(id)?.status));
    const [word = ""] = words;
    const alike = words.every((other) => other === word);
    const wanted = alike ? WORDS[word] : words.includes("SUCCEEDED") ? "partial" : "failed";
    const found = byId.get(batch);
    if (found?.state !== wanted) accuse(`a batch of ${words} that is ${found?.state}`, batch);
    const { ends = {} } = found?.context ?? {};
    if (words.some((end, index) => ends[index] !== end)) {
      accuse(`a batch of ${words} that counts ${JSON.stringify(ends)}`, batch);
    }
  }
};

/** Whoever was told that a cancel is taken can rely on it. */
export const checkCancels: Law = ({ actors, canceled }, accuse) => {
  const byId = new Map(actors.map((actor) => [actor.id, actor]));
  for (const id of canceled) {
    const { kind, context } = byId.get(id) ?? {};
    const isKept = kind === "batch" ? context?.cancelRequested === true : context?.cancel;
    if (!isKept) accuse("a cancel that was forgotten", id);
  }
};

/** Nothing is held, waits or lies unread any more. */
export const checkReserves: Law = ({ accounts, waiting, letters }, accuse) => {
  for (const { id, inUse } of accounts) if (inUse !== 0) accuse(`${inUse} slots of ${id} were not given back`);
  for (const { account, owner, waiting: count } of waiting) {
    if (count !== 0) accuse(`${count} of ${owner} still wait for a turn at ${account}`);
  }
  for (const { target, source } of letters) accuse(`a letter of ${source} that nobody read`, target);
};
