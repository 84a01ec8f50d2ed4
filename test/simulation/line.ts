/** The way between a node and the world: it takes time, and what is on it may be lost on either half. */
import type { Random } from "../../src/embedded/simulated/drawing/random.ts";
import type { Query } from "../../src/db/queries.ts";
import type { Gate } from "./gate.ts";
import type { Store } from "./store.ts";
import { sqlError } from "./tables.ts";
import type { Time } from "./time.ts";
import type { Trace } from "./trace.ts";
import type { Weather } from "./weather.ts";

/** Where a node died: what it had asked for, and how far that had got. */
export type Boundary = `${string} ${"asked" | "done" | "answered"}`;

export type World = {
  time: Time;
  weather: Weather;
  random: Random;
  store: Store;
  trace: Trace;
  outage(): boolean;
  /** Whether a node that has come there dies there. */
  dies(at: Boundary): boolean;
};

/** Milliseconds there or back: mostly short. */
const hop = (random: Random) => 0.2 + 20 * random.next() ** 6;

/** What goes wrong with one question: on its way there, on its way back, and how much later it and its answer come. */
export type Mishap = { before?: unknown; after?: unknown; lateMs?: number; slowMs?: number };

/**
 * Carries a question over and its answer back; the node may die at each of the three boundaries: when it has asked,
 * when what it asked for was done, and when it has acted on the answer.
 */
export const ask = <T>(
  { time, weather, random, dies }: World,
  gate: Gate,
  question: { name: string; happen(): T; mishap(): Mishap },
): Promise<T> =>
  new Promise<T>((resolve, reject) => {
    if (!gate.alive()) return;
    const strike = (how: "asked" | "done" | "answered") => {
      if (!gate.alive() || gate.paused()) return;
      if (random.chance(weather.rates().pauses)) return gate.pause(random.between(100, 60_000));
      if (!dies(`${question.name} ${how}`)) return;
      // What it does with an answer is done before it dies: some of that is on its way already.
      if (how === "answered") time.after(0, gate.crash);
      else gate.crash();
    };
    const { before, after, lateMs = 0, slowMs = 0 } = question.mishap();
    time.after(lateMs + hop(random), () => {
      strike("asked");
      // What a dying node had sent is on its way all the same, or is not.
      if (!gate.alive() && random.chance(0.5)) return;
      const fail = (error: unknown) => {
        time.after(slowMs + hop(random), () => gate.deliver(() => reject(error)));
      };
      if (before) return fail(before);
      let answer: T;
      try {
        answer = question.happen();
      } catch (error) {
        return fail(error);
      }
      strike("done");
      if (after) return fail(after);
      time.after(slowMs + hop(random), () =>
        gate.deliver(() => {
          resolve(answer);
          strike("answered");
        }),
      );
    });
  });

/** Of a group: the state that its first actor comes to. */
const nameOf = (name: string, params: readonly unknown[]): string => {
  if (name !== "commitUnits") return name;
  const [first] = (params[1] as { actors: { kind: string; state: string }[] }).actors;
  return `commit of ${first?.kind} ${first?.state}`;
};

/** A node's connections to the store. */
export const createLine = (world: World, gate: Gate, node: number): Query => {
  const { weather, random, store, trace, outage } = world;
  const mishap = (): Mishap => {
    const { lostAnswers, contention, refusals } = weather.rates();
    if (outage()) return { before: sqlError("ECONNREFUSED", "the database is away") };
    if (random.chance(contention)) return { before: sqlError("55P03", "locked") };
    if (random.chance(refusals)) return { before: sqlError("XX000", "for no good reason") };
    if (!random.chance(lostAnswers)) return {};
    const gone = sqlError("CONNECTION_CLOSED", "the answer got lost");
    return random.chance(0.5) ? { before: gone } : { after: gone };
  };
  return ((name: string, params: readonly unknown[] = []) => {
    // The driver writes the parameters at once; what the caller changes later does not matter.
    const sent = params.map((value) => {
      if (value instanceof Date) return value.getTime();
      return name === "commitUnits" && typeof value === "object" ? JSON.stringify(value) : value;
    });
    const happen = () => {
      const rows = store.run(name, sent);
      trace.note(name, node, name === "commitUnits" ? sent[1] : rows.length);
      return rows;
    };
    return ask(world, gate, { name: nameOf(name, params), happen, mishap });
  }) as Query;
};
