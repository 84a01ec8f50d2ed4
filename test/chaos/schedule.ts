/** What goes wrong and when, drawn from a seed: the same seed, the same faults. */
import { createRandom, type Random } from "../../src/embedded/simulated/drawing/random.ts";
import type { WayName } from "./cluster-node.ts";
import type { Direction } from "./proxy.ts";

export type Cut = { how: "slow" | "reset" | "shut" | "forget" } | { how: "swallow"; direction?: Direction };
/** What a provider is asked. */
export type Asked = "submit" | "status" | "cancel" | "output";
/** How it loses its next answers to that; without `after_accept` it has not heard the question either. */
export type Loss = "reset_after_accept" | "hang_after_accept" | "reset_before_read" | "html";
/** `ms`: how long it lasts. A node is named by its number. */
export type Fault =
  | { kind: "kill"; node: number }
  | { kind: "pause"; node: number; ms: number }
  | { kind: "stop"; node: number }
  | { kind: "cut"; node: number; way: WayName; cut: Cut; ms: number }
  | { kind: "postgres"; how: "crash" | "stop"; ms: number }
  | { kind: "nats"; how: "kill" | "wipe"; ms: number }
  | { kind: "answers"; provider: number; on: Asked; how: Loss; count: number };
/** A fault and its moment, ms from the beginning. */
export type Planned = Fault & { at: number };

export type Kind = Fault["kind"];

/** How many of each come in half a minute. */
const RATES: Record<Kind, number> = { kill: 11, pause: 4, stop: 2, cut: 11, postgres: 2, nats: 2, answers: 10 };
/** A kill takes all nodes at once this often. */
const ALL = 0.08;
const RATE_MS = 30_000;
const WAYS: readonly WayName[] = ["postgres", "postgres", "nats", "clients"];
const CUTS: readonly Cut[] = [
  { how: "slow" },
  { how: "reset" },
  { how: "reset" },
  { how: "shut" },
  { how: "forget" },
  { how: "swallow" },
  { how: "swallow", direction: "up" },
  { how: "swallow", direction: "down" },
];
const LOSSES: readonly Loss[] = [
  "reset_after_accept",
  "reset_after_accept",
  "hang_after_accept",
  "reset_before_read",
  "html",
];
const ASKED: readonly Asked[] = ["submit", "submit", "submit", "submit", "status", "cancel", "output"];

type Place = { nodes: number; providers: number; seconds: number };

const draw = (kind: Kind, random: Random, { nodes, providers }: Place): Fault[] => {
  const node = random.whole(0, nodes - 1);
  switch (kind) {
    case "kill":
      if (random.chance(ALL)) return Array.from({ length: nodes }, (_, n) => ({ kind, node: n }));
      return [{ kind, node }];
    case "pause":
      return [{ kind, node, ms: random.whole(300, 5_000) }];
    case "stop":
      return [{ kind, node }];
    case "cut": {
      const way = random.pick(WAYS);
      // A customer whose connections are forgotten only waits: that says nothing about us.
      const cuts = way === "clients" ? CUTS.filter(({ how }) => how !== "forget") : CUTS;
      return [{ kind, node, way, cut: random.pick(cuts), ms: random.whole(200, 5_000) }];
    }
    case "postgres":
      return [{ kind, how: random.pick(["crash", "stop"] as const), ms: random.whole(100, 2_000) }];
    case "nats":
      return [{ kind, how: random.pick(["kill", "kill", "wipe"] as const), ms: random.whole(100, 3_000) }];
    case "answers":
      return [
        {
          ...{ kind, provider: random.whole(0, providers - 1), on: random.pick(ASKED) },
          ...{ how: random.pick(LOSSES), count: random.whole(1, 3) },
        },
      ];
  }
};

/** The faults of a run, in the order of their moments. */
export const planFaults = (seed: number, place: Place): Planned[] => {
  const endsAt = place.seconds * 1000;
  const planned = (Object.keys(RATES) as Kind[]).flatMap((kind) => {
    const random = createRandom(seed).fork(kind);
    const count = Math.max(1, Math.round((RATES[kind] * endsAt) / RATE_MS));
    return Array.from({ length: count }, () => {
      const at = random.whole(0, endsAt);
      return draw(kind, random, place).map((fault): Planned => ({ ...fault, at }));
    }).flat();
  });
  return planned.sort((a, b) => a.at - b.at);
};

/** One line for each, for whoever reads a failure. */
export const showPlan = (plan: readonly Planned[]): string =>
  plan
    .map(({ at, kind, ...rest }) => `${(at / 1000).toFixed(2).padStart(6)} s ${kind} ${JSON.stringify(rest)}`)
    .join("\n");
