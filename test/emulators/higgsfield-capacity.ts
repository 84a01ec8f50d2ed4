import type { HiggsfieldRun, HiggsfieldRuns } from "./higgsfield-requests.ts";
import type { Reply } from "./kit.ts";

export type Capacity = {
  /** `reject400`: over the limit nothing is taken. `queue429`: it waits, until the queue is full, too. */
  mode: "reject400" | "queue429";
  /** Outputs that may be under way at once. Default: any number. */
  concurrency: number;
  /** Outputs that may wait besides. */
  queue: number;
  /** Whether the code of the 429 stands within `detail`; the pages do not say. */
  nested: boolean;
};

const outputsOf = (runs: readonly HiggsfieldRun[]) => runs.reduce((sum, { data }) => sum + data.count, 0);

/** What the account may have under way at once, and what waits for it. */
export const createCapacity = ({ mode, concurrency, queue, nested }: Capacity, runs: () => HiggsfieldRuns) => {
  const held = new Set<string>();
  const active = () =>
    runs()
      .all()
      .filter((run) => runs().phaseOf(run) !== "ended");

  const refusalOf = (): Reply => {
    if (mode === "reject400") {
      const detail = `Maximum number of concurrent requests (${concurrency}) has been reached`;
      return { status: 400, json: { detail } };
    }
    const full = { code: "account_queue_full", limit: queue, message: "The queue of this account is full" };
    const json = nested ? { detail: full } : { ...full, detail: full.message };
    return { status: 429, headers: { "retry-after": "7" }, json };
  };

  return {
    /** Whether so many more outputs are taken: a refusal, held back for now, or neither. */
    admit(count: number): { refusal?: Reply; held: boolean } {
      const wanted = outputsOf(active()) + count;
      if (wanted <= concurrency) return { held: false };
      if (mode === "reject400" || wanted > concurrency + queue) return { held: false, refusal: refusalOf() };
      return { held: true };
    },
    hold: (id: string): void => void held.add(id),
    /** Lets what was held back go as soon as there is room. */
    settle(): void {
      const waiting = active().filter(({ id }) => held.has(id));
      let busy = outputsOf(active()) - outputsOf(waiting);
      for (const { id, data } of waiting) {
        if (busy + data.count > concurrency) return;
        held.delete(id);
        runs().release(id);
        busy += data.count;
      }
    },
  };
};
