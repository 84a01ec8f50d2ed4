/** One run: a cluster, customers and watchers, faults by the schedule, then calm, and the judgement of what is left. */
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { createRandom } from "../../src/embedded/simulated/drawing/random.ts";
import { readStored } from "../bus/stored.ts";
import { check, type Violation } from "./checker.ts";
import { type Cluster, NODES, openCluster } from "./cluster.ts";
import { startConsumer } from "./consumer.ts";
import { createCustomers, type Customers } from "./customers.ts";
import { billsOf, countHalves, type Evidence, readObjects, readRows } from "./evidence.ts";
import { planFaults, showPlan } from "./schedule.ts";
import { storyOf } from "./story.ts";
import { createStrikes, type Struck } from "./strike.ts";
import { PROVIDERS } from "./submit-providers.ts";
import { createWatchers, type Watchers } from "./watchers.ts";

export type Run = {
  seed: number;
  plan: string;
  struck: Struck;
  evidence: Evidence;
  violations: Violation[];
  /** From the end of the last fault until everything had come to rest. */
  settledMs: number;
};

const CUSTOMERS = 5;
/** Jobs for each second of faults, at most. */
const JOBS_PER_S = 4;
const READY_MS = 30_000;
const SETTLE_MS = 150_000;
const SEEN_MS = 20_000;
const LOOK_MS = 100;

/** Every fourth run is impatient: its jobs are stopped while it is not yet known what became of them. */
const settingsOf = (seed: number) => ({ JOB_TIMEOUT_MS: seed % 4 === 0 ? "5000" : "18000" });
/** Of four, three providers are there in person, or one of those is simulated. */
const presentIn = (seed: number) => PROVIDERS.filter((_, n) => n !== seed % (PROVIDERS.length + 1));

const COUNTS = `select
  (select count(*) from actors where finished_at is null)::int + (select count(*) from inbox)::int
    + (select coalesce(sum(seq - published), 0) from streams)::int as open`;

/** Resolves when no actor is under way, no letter unread and no fact unpublished; or when that takes too long. */
const settle = async ({ sql }: Cluster): Promise<void> => {
  for (const until = performance.now() + SETTLE_MS; performance.now() < until; await wait(LOOK_MS)) {
    const [row] = await sql.unsafe(COUNTS);
    if (row?.open === 0) return;
  }
};

/** Resolves when everybody has been shown everything that they should see; or when that takes too long. */
const seeAll = async (evidence: () => Evidence): Promise<void> => {
  for (const until = performance.now() + SEEN_MS; performance.now() < until; await wait(LOOK_MS)) {
    if (check(evidence()).every(({ what }) => !/^a (client|consumer)/.test(what))) return;
  }
};

const gather = async (cluster: Cluster, customers: Customers, watchers: Watchers, heard: Evidence["heard"]) => {
  const rows = await readRows(cluster.sql);
  const stored = await readStored(cluster.natsUrl);
  const objects = await readObjects(cluster.objects);
  const halves = await countHalves(join(dirname(dirname(dirname(cluster.objects))), "tmp"));
  const bills = [...rows.bills, ...cluster.targets.flatMap(billsOf)];
  const published = stored.map(({ fact: { stream, seq, id } }) => ({ stream, seq, id }));
  const { orders, canceled, complaints } = customers;
  return (): Evidence => ({
    ...{ ...rows, bills, published, objects, halves },
    ...{ orders, canceled, complaints, heard, watched: watchers.watched() },
    errors: cluster.nodes.flatMap((node) => node.errors()),
  });
};

export const runChaos = async (seed: number, seconds: number): Promise<Run> => {
  const random = createRandom(seed);
  const providers = presentIn(seed);
  const plan = planFaults(seed, { nodes: NODES, providers: providers.length, seconds });
  await using cluster = await openCluster(providers, settingsOf(seed));
  await using opened = new AsyncDisposableStack();
  await Promise.all(cluster.nodes.map((node) => node.ready(READY_MS)));
  const consumer = startConsumer(cluster.natsUrl);
  opened.defer(() => consumer.close());
  const watchers = createWatchers(cluster.nodes, random.fork("watchers"), cluster.token);
  opened.defer(() => watchers.close());
  const customers = createCustomers(cluster, random.fork("customers"), watchers.watch, seconds * JOBS_PER_S);
  const strikes = createStrikes(cluster);
  const over = new AbortController();
  opened.defer(() => over.abort());

  const served = customers.run(CUSTOMERS, over.signal);
  await strikes.run(plan);
  await strikes.heal();
  const began = performance.now();
  over.abort();
  await Promise.all([served, ...cluster.nodes.map((node) => node.ready(READY_MS))]);
  await settle(cluster);
  const settledMs = performance.now() - began;
  watchers.stay();
  const evidence = await gather(cluster, customers, watchers, consumer.heard);
  await seeAll(evidence);
  await opened.disposeAsync();
  const codes = await Promise.all(cluster.nodes.map((node) => node.close()));
  const violations = check(evidence());
  for (const { deaths } of cluster.nodes) violations.push(...deaths.map((what) => ({ what })));
  if (codes.some((code) => code !== 0)) violations.push({ what: `the nodes ended with ${codes}` });
  return { seed, plan: showPlan(plan), struck: strikes.struck, evidence: evidence(), violations, settledMs };
};

const TOLD = 10;
const STORIES = 2;

/** What went wrong, with the plan, and the stories of the first actors that it is about. */
export const tell = ({ seed, plan, violations, evidence }: Run): string => {
  const actors = [...new Set(violations.flatMap(({ actor }) => actor ?? []))].slice(0, STORIES);
  return [
    `seed ${seed}: ${violations.length} laws broken`,
    ...violations.slice(0, TOLD).map(({ what, actor }) => `- ${what}${actor ? ` (${actor})` : ""}`),
    plan,
    ...actors.map((actor) => storyOf(evidence, actor)),
  ].join("\n");
};
