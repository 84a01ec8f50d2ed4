/**
 * Everything together: one seed, one run, one verdict. Left out: jobs that may move to another provider, so that a job
 * holds its slot at the account it was ordered from; and what is not actors (chats, options, uploads, bytes).
 */
import { createRandom, hashOf } from "../../src/embedded/simulated/drawing/random.ts";
import { createBroker } from "./broker.ts";
import { accuser, checkEnd, checkNow } from "./checker.ts";
import { createClients } from "./clients.ts";
import { type Cluster, createCluster } from "./cluster.ts";
import { createCustomers } from "./customers.ts";
import { createDraws } from "./draws.ts";
import type { Boundary, World } from "./line.ts";
import { createNoise } from "./noise.ts";
import { createStore } from "./store.ts";
import type { CommitFaults } from "./store-commit.ts";
import { createTime } from "./time.ts";
import { createTrace } from "./trace.ts";
import { createUpstream, RATES } from "./upstream.ts";
import { createWeather } from "./weather.ts";

export type Options = {
  seed: number;
  jobs: number;
  /** What is broken for good, so that the checker has something to find. */
  broken?: CommitFaults & { billsTwice?: boolean; drops?: boolean };
};

export type Report = {
  seed: number;
  jobs: number;
  nodes: number;
  /** How the jobs ended, by word. */
  ends: Record<string, number>;
  attempts: number;
  bills: number;
  /** What the provider said of a whole account, and breakers that opened: pauses that were ordered. */
  pauses: number;
  facts: number;
  /** Boundaries that nodes came to, and those at which they died, with how often. */
  reached: Map<Boundary, number>;
  crashedAt: Map<Boundary, number>;
  steps: number;
  transitions: number;
  simulatedHours: number;
  /** Of everything that happened. */
  hash: string;
};

/** Beyond the last order. */
const LONGEST_MS = 2 * 3_600_000;
const CHECK_EVERY_MS = 30_000;
/** For what is still on its way when the last job has ended. */
const REST_MS = 120_000;

/** Runs a seed to its end. Throws `LawBroken` with the story of who broke it. */
export const simulate = async ({ seed, jobs, broken = {} }: Options): Promise<Report> => {
  const random = createRandom(hashOf(`simulation ${seed}`));
  const time = createTime();
  const began = time.now();
  const trace = createTrace(time);
  const weather = createWeather(random.fork("weather"));
  const store = createStore(time, broken);
  const reached = new Map<Boundary, number>();
  const crashedAt = new Map<Boundary, number>();
  const deaths = random.fork("deaths");
  const count = (map: Map<Boundary, number>, at: Boundary) => map.set(at, (map.get(at) ?? 0) + 1);
  let away = 0;
  const world: World = {
    time,
    weather,
    random: random.fork("world"),
    store,
    trace,
    outage: () => time.now() < away,
    dies: (at) => {
      count(reached, at);
      // Where nobody has died yet it is more dangerous, so that every step sees a crash.
      const danger = (crashedAt.has(at) ? 1 : 8) * weather.rates().crashes;
      if (!deaths.chance(danger)) return false;
      count(crashedAt, at);
      return true;
    },
  };
  for (const [account, slots] of [
    ["idempotent", 18],
    ["findable", 18],
    ["blind", 36],
  ] as const) {
    const { submits = null, checks = null } = RATES[account];
    store.run("ensureAccount", [account, slots, submits, checks]);
  }

  let cluster: Cluster | undefined;
  const noise = createNoise(world, () => cluster as Cluster);
  const upstream = createUpstream(time, random.fork("upstream"), noise.called, broken);
  const broker = createBroker(world);
  const draws = createDraws(time, random.fork("draws"));
  // One seed in four is a node alone, which resumes otherwise after a crash.
  const nodes = random.chance(0.25) ? 1 : random.whole(2, 4);
  cluster = createCluster(nodes, { world, draws, upstream, broker, alone: nodes === 1, answered: noise.answered });
  const clients = createClients(world, cluster, broken);
  const customers = createCustomers(world, cluster, draws);
  for (const chat of customers.chats) clients.follow(chat);

  const outages = () => {
    const { outageEveryMs } = weather.rates();
    if (!Number.isFinite(outageEveryMs)) return;
    time.after(-Math.log(1 - random.next()) * outageEveryMs, () => {
      away = time.now() + 20_000 * random.next() ** 2;
      outages();
    });
  };
  outages();

  // From idle to more than there are slots for; they come in crowds.
  const jobsASecond = random.between(0.3, 0.75);
  const lull = (1_375 / jobsASecond - 70) / 0.3;
  let asked = 0;
  let taken = 0;
  const ordering = () => {
    if (asked >= jobs) return;
    const count = Math.min(jobs - asked, random.chance(0.15) ? random.whole(2, 5) : 1);
    asked += count;
    void customers.order(count).then((order) => {
      taken += count;
      if (!customers.chats.includes(order.stream)) clients.follow(order.stream);
      noise.ordered(order);
    });
    time.after(-Math.log(1 - random.next()) * (random.chance(0.7) ? 100 : lull), ordering);
  };
  ordering();

  const evidence = {
    tables: store.tables,
    bills: upstream.bills,
    clients: clients.all,
    orders: customers.orders,
    published: broker.taken,
    checked: upstream.checked,
  };
  let failure: unknown = null;
  const looking = () => {
    try {
      checkNow(evidence);
      time.after(CHECK_EVERY_MS, looking);
    } catch (error) {
      failure = error;
    }
  };
  looking();

  const ended = () => taken === jobs && store.tables.live.size === 0;
  const latest = began + (jobs / jobsASecond) * 1_000 + LONGEST_MS;
  await time.run(() => failure !== null || ended() || time.now() > latest);
  if (failure) throw failure;
  if (!ended()) accuser(evidence)("it does not come to an end", [...store.tables.live.keys()][0]);

  weather.clear();
  away = 0;
  cluster.mend();
  const rest = time.now() + REST_MS;
  time.after(REST_MS / 2, clients.return);
  time.after(REST_MS, () => {});
  await time.run(() => failure !== null || time.now() >= rest);
  if (failure) throw failure;
  checkEnd(evidence);

  const actors = [...store.tables.actors.values()].filter(({ kind }) => kind === "job");
  const steps = [...store.tables.transitions.values()];
  return {
    seed,
    jobs: actors.length,
    nodes,
    ends: Object.fromEntries(
      [...Map.groupBy(actors, ({ status }) => String(status))].map(([word, of]) => [word, of.length]),
    ),
    attempts: steps.flat().filter(({ effects }) => effects.includes("submit")).length,
    bills: upstream.bills.length,
    pauses: store.tables.dealings.reduce((sum, { pauses = [] }) => sum + pauses.length, 0),
    facts: [...store.tables.facts.values()].reduce((sum, facts) => sum + facts.length, 0),
    reached,
    crashedAt,
    steps: time.steps(),
    transitions: steps.reduce((sum, of) => sum + of.length, 0),
    simulatedHours: (time.now() - began) / 3_600_000,
    hash: trace.hash(),
  };
};
