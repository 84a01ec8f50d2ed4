import type { KnownStorage } from "../ports.ts";

/**
 * Notices that a stream has less than it acknowledged: on a cluster one that lost its only copy comes back empty by its
 * old name. Its numbers never go back otherwise, whatever expires or is purged. An acknowledgement with a number that
 * was given before proves it at once; a look may still see what was for `staleMs`.
 */
export const createHeads = ({ staleMs, now }: { staleMs: number; now(): number }) => {
  let era = "";
  let highest = 0;
  let lost = false;
  let lowSince: number | null = null;

  return {
    /** Call before a publish, and what it returns with the acknowledgement. False: what came before it is lost. */
    expect: () => {
      const [then, before] = [era, highest];
      return ({ seq, duplicate }: { seq: number; duplicate: boolean }): boolean => {
        if (then !== era) return true;
        if (!duplicate && seq <= before) lost = true;
        else highest = Math.max(highest, seq);
        return !lost;
      };
    },
    /** `last`: the stream's latest number; null when nobody can say. */
    look: (known: KnownStorage | null, name: string, last: number | null) => {
      const current = `${name} ${known?.losses ?? 0}`;
      if (current !== era) {
        era = current;
        highest = 0;
        lost = false;
        lowSince = null;
      }
      if (known?.name === name) highest = Math.max(highest, known.head);
      if (last !== null) {
        lowSince = last < highest ? (lowSince ?? now()) : null;
        if (lowSince !== null && now() - lowSince >= staleMs) lost = true;
      }
      const head = last ?? highest;
      if (!lost) highest = Math.max(highest, head);
      return { name, head, lost };
    },
  };
};
