/** A seeded stream of draws: the same seed gives the same picture, on every machine and after a restart. */
export type Random = {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform in [low, high). */
  between(low: number, high: number): number;
  /** Uniform integer, both ends included. */
  whole(low: number, high: number): number;
  chance(share: number): boolean;
  /** One of `items`, which must not be empty. */
  pick<T>(items: readonly T[]): T;
  /** Bell-shaped around 0, within ±1. */
  bell(): number;
  /** Another stream that does not depend on how much was drawn from this one. */
  fork(name: string): Random;
};

/** FNV-1a over UTF-16 units: 32 bits that say which seed a text stands for. */
export const hashOf = (text: string): number => {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  // Murmur3's finish: FNV alone barely changes its high bits for texts that differ at the end.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
};

/** A uniform draw in [0, 1) that belongs to `text`. */
export const drawOf = (text: string): number => hashOf(text) / 2 ** 32;

/** mulberry32 by Tommy Ettinger, public domain: https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
export const createRandom = (seed: number): Random => {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (low: number, high: number) => low + (high - low) * next();
  return {
    next,
    between,
    whole: (low, high) => Math.floor(between(low, high + 1)),
    chance: (share) => next() < share,
    pick: <T>(items: readonly T[]): T => items[Math.floor(next() * items.length)] as T,
    bell: () => (next() + next() + next()) / 1.5 - 1,
    fork: (name) => createRandom(hashOf(`${seed}/${name}`)),
  };
};
