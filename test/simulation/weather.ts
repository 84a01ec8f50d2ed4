import type { Random } from "../../src/embedded/simulated/drawing/random.ts";

/** What may go wrong, as shares of 1 unless a unit is named. */
export type Rates = {
  /** A statement whose answer is lost: half of them took effect. */
  lostAnswers: number;
  /** A statement that finds the rows locked. */
  contention: number;
  /** A statement that fails for no good reason. */
  refusals: number;
  /** A node that dies at a boundary: before or after a statement, a call, or the delivery of an answer. */
  crashes: number;
  /** A node that stands still at such a boundary. */
  pauses: number;
  /** Announcements and webhooks that never come. */
  lostMessages: number;
  doubledMessages: number;
  /** Mean time between two outages of the database, two standstills of a node, and two cuts of a client, ms. */
  outageEveryMs: number;
  pauseEveryMs: number;
  cutEveryMs: number;
  /** Most that a node's clock is off, ms: two nodes differ by up to twice as much. */
  skewMs: number;
};

export type Weather = {
  rates(): Rates;
  /** From now on nothing goes wrong. */
  clear(): void;
};

const CLEAR: Rates = {
  lostAnswers: 0,
  contention: 0,
  refusals: 0,
  crashes: 0,
  pauses: 0,
  lostMessages: 0,
  doubledMessages: 0,
  outageEveryMs: Number.POSITIVE_INFINITY,
  pauseEveryMs: Number.POSITIVE_INFINITY,
  cutEveryMs: Number.POSITIVE_INFINITY,
  skewMs: 1_000,
};

/** Each seed has a climate of its own: one is hard on the database, another on the nodes. */
export const createWeather = (random: Random): Weather => {
  const upTo = (most: number) => most * random.next() ** 2;
  let rates: Rates = {
    lostAnswers: upTo(0.03),
    contention: upTo(0.02),
    refusals: upTo(0.004),
    crashes: 0.0003 + upTo(0.003),
    pauses: upTo(0.001),
    lostMessages: upTo(0.5),
    doubledMessages: upTo(0.3),
    outageEveryMs: random.between(120_000, 1_200_000),
    pauseEveryMs: random.between(20_000, 600_000),
    cutEveryMs: random.between(2_000, 60_000),
    skewMs: random.between(0, 1_000),
  };
  return {
    rates: () => rates,
    clear: () => {
      rates = CLEAR;
    },
  };
};
