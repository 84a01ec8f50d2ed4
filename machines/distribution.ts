/**
 * When a generation was done, in ms since its submit. Polls only bracket it: after the last one that saw it
 * going on, by the one that saw it done.
 */
export type Bracket = { after: number; by: number };

/** A distribution in cells: `shares[n]` (they add up to 1) lies evenly between `edges[n]` and `edges[n + 1]`. */
export type Distribution = { edges: readonly number[]; shares: readonly number[] };

const CELLS = 100;
const ROUNDS = 12;
/** Spread evenly over all cells, so that what never happened yet is not held impossible. */
const DOUBT = 0.02;

/** Where a bracket and a cell meet: the cell, and how much of it the bracket covers. */
type Overlap = { cell: number; covered: number };

const edgesFor = (brackets: readonly Bracket[]): number[] => {
  const from = 0.9 * Math.max(1, Math.min(...brackets.map(({ after, by }) => Math.max(after, by / 2))));
  const to = 1.05 * Math.max(...brackets.map(({ by }) => by), from);
  return Array.from({ length: CELLS + 1 }, (_, n) => from * (to / from) ** (n / CELLS));
};

const overlaps = ({ after, by }: Bracket, edges: readonly number[]): Overlap[] =>
  edges.slice(1).flatMap((end, cell) => {
    const start = edges[cell] as number;
    const covered = (Math.min(by, end) - Math.max(after, start)) / (end - start);
    return covered > 0 ? [{ cell, covered }] : [];
  });

/**
 * The distribution behind bracketed observations: self-consistency for interval-censored data (Turnbull 1976),
 * smoothed in every round (EMS: Silverman, Jones, Wilson, Nychka 1990), because the plain estimate heaps up on the
 * few instants that it happened to see. The cells grow geometrically: what matters about a latency is its ratio.
 * Needs at least one bracket with `by > after`.
 */
export const estimate = (brackets: readonly Bracket[]): Distribution => {
  const edges = edgesFor(brackets);
  const seen = brackets.map((bracket) => overlaps(bracket, edges)).filter((cells) => cells.length > 0);
  let shares = Array.from({ length: CELLS }, () => 1 / CELLS);
  for (let round = 0; round < ROUNDS; round++) {
    const raw = new Array<number>(CELLS).fill(0);
    for (const cells of seen) {
      const all = cells.reduce((sum, { cell, covered }) => sum + (shares[cell] as number) * covered, 0);
      for (const { cell, covered } of cells)
        raw[cell] = (raw[cell] as number) + ((shares[cell] as number) * covered) / all / seen.length;
    }
    // At the ends a cell is its own neighbour, so that nothing is lost.
    shares = raw.map((share, n) => (raw[n - 1] ?? share) / 4 + share / 2 + (raw[n + 1] ?? share) / 4);
  }
  return { edges, shares: shares.map((share) => (1 - DOUBT) * share + DOUBT / CELLS) };
};

/** The share of generations that are not done after `ms`. */
export const survival = ({ edges, shares }: Distribution, ms: number): number =>
  shares.reduce((left, share, n) => {
    const [start, end] = [edges[n] as number, edges[n + 1] as number];
    return left + share * (1 - Math.min(1, Math.max(0, (ms - start) / (end - start))));
  }, 0);

/** The mean, ms. */
export const mean = ({ edges, shares }: Distribution): number =>
  shares.reduce((sum, share, n) => sum + (share * ((edges[n] as number) + (edges[n + 1] as number))) / 2, 0);

/**
 * The instant (ms since the submit) by which `share` of the generations are done that were not done after
 * `elapsed`; null where nothing is known: none ever took that long.
 */
export const quantile = (known: Distribution, share: number, elapsed = 0): number | null => {
  const { edges, shares } = known;
  const wanted = survival(known, elapsed) * (1 - share);
  if (wanted <= 0) return null;
  let left = 0;
  for (let n = shares.length - 1; n >= 0; n--) {
    const own = shares[n] as number;
    const [start, end] = [edges[n] as number, edges[n + 1] as number];
    if (left + own >= wanted) return end - ((end - start) * (wanted - left)) / own;
    left += own;
  }
  return edges[0] ?? null;
};
