import type { MachineEvent } from "../../machines/step.ts";
import type { Query } from "../db/queries.ts";
import { Problem } from "../errors.ts";
import type { Log } from "../log.ts";

const MOST_AT_ONCE = 200;

/**
 * Tells queued jobs that may move to another provider that their account has been paused for long. A job that waits
 * for a slot cannot know; the account's row does.
 */
export const createStalled = (deps: {
  query: Query;
  afterMs: number;
  send(job: string, command: MachineEvent): Promise<unknown>;
  log: Log;
}) => ({
  sweep: async (): Promise<void> => {
    const rows = await deps.query<{ id: string; code: string; open: string[] }>("stalledJobs", [
      deps.afterMs,
      MOST_AT_ONCE,
    ]);
    const told = rows.map(({ id, code, open }) => deps.send(id, { type: "stalled", code, open }));
    for (const { reason } of (await Promise.allSettled(told)).filter((each) => each.status === "rejected")) {
      if (!(reason instanceof Problem)) deps.log.warn({ err: reason }, "a stalled job could not be told");
    }
  },
});
