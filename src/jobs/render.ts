import type { JobView } from "../../machines/job.view.ts";
import type { Query } from "../db/queries.ts";
import type { Fact } from "../ports.ts";
import type { JobLabels, PresentJob } from "./present.ts";

/** What clients get to see of a job's fact: of a deleted one, that it is about that job. */
export const createJobRender = ({ query, present }: { query: Query; present: PresentJob }) => {
  /** Only with outputs there is anything to be withdrawn, and links to be given. */
  const isWithdrawn = async ({ actorId, data }: Fact): Promise<boolean> => {
    const { status, outputs } = data as Partial<JobView>;
    if (status === undefined) return true;
    if (!outputs || outputs.length === 0) return false;
    const [row] = await query<{ withdrawn: boolean }>("jobWithdrawn", [actorId]);
    return row?.withdrawn === true;
  };
  return async (fact: Fact): Promise<Record<string, unknown>> =>
    (await isWithdrawn(fact))
      ? { job_id: fact.actorId }
      : present(fact.data as unknown as JobLabels, fact.data as unknown as JobView);
};
