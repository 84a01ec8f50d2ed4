/** The shortest that the API takes. */
const MIN_S = 5;
/** No upper limit is documented; a prediction runs for 30 minutes at most, the rest is waiting. */
const MAX_S = 24 * 3600;

/**
 * The `Cancel-After` header for a deadline (both in ms since the epoch). It counts from the prediction's creation,
 * which is later than `now`, and is rounded up: upstream never stops before our own deadline has decided.
 */
export const cancelAfter = (deadline: number, now: number): string => {
  const seconds = Math.ceil((deadline - now) / 1000);
  return `${Math.min(MAX_S, Math.max(MIN_S, Number.isFinite(seconds) ? seconds : MAX_S))}s`;
};
