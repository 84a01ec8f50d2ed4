export type Backoff = {
  minMs: number;
  maxMs: number;
  factor: number;
  jitter: number;
};

/**
 * Exponential backoff with symmetric jitter: min(max, min · factor^n) · (1 ± jitter), in whole
 * milliseconds. `n` counts the waits so far, `draw` is uniform in [0, 1). The jitter is applied
 * after the cap, so that a crowd which reached the cap still spreads out.
 */
export const backoff = ({ minMs, maxMs, factor, jitter }: Backoff, n: number, draw: number): number =>
  Math.round(Math.min(maxMs, minMs * factor ** Math.min(n, 64)) * (1 + jitter * (2 * draw - 1)));
