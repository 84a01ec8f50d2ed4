/** Lets `most` things through at once, and then so many a second. */
export const createBucket = ({ most, perSecond, now }: { most: number; perSecond: number; now(): number }) => {
  let left = most;
  let at = now();
  return (): boolean => {
    const instant = now();
    left = Math.min(most, left + ((instant - at) / 1000) * perSecond);
    at = instant;
    if (left < 1) return false;
    left--;
    return true;
  };
};
