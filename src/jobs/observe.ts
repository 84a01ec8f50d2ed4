import type { JobView } from "../../machines/job.view.ts";
import type { Metrics } from "../http/metrics.ts";
import type { Log } from "../log.ts";
import type { Fact } from "../ports.ts";
import type { JobLabels } from "./present.ts";

type Counted = "jobsCreated" | "jobsSucceeded" | "jobsFailed" | "completions";

/** Counts and logs what happens to jobs, from the facts that this node committed. */
export const createJobObserver =
  ({ log, metrics }: { log: Log; metrics: Pick<Metrics, Counted> }) =>
  (fact: Fact): void => {
    if (fact.actorKind !== "job") return;
    const { job_id, option_id, tool_type, model_key } = fact.data as unknown as JobLabels;
    const view = fact.data as unknown as JobView;
    const labels = { tool_type, model_key };
    switch (fact.type) {
      case "job.created":
        metrics.jobsCreated.inc(labels);
        log.info(
          {
            event: "job_created",
            job_id,
            option_id,
            user_id: fact.owner,
            tool_type,
            model_key,
            timeout_at: view.timeout_at === null ? null : new Date(view.timeout_at).toISOString(),
          },
          "job created",
        );
        break;
      case "job.rendered":
        if (typeof fact.data.noticed_by === "string")
          metrics.completions.inc({ ...labels, noticed_by: fact.data.noticed_by });
        break;
      case "job.succeeded":
        metrics.jobsSucceeded.inc(labels);
        break;
      case "job.failed":
      case "job.timed_out":
      case "job.canceled":
        metrics.jobsFailed.inc({ ...labels, error_code: view.error?.code ?? view.status.toLowerCase() });
        break;
    }
    if (fact.type !== "job.created" && fact.type !== "job.progressed") {
      log.info(
        { event: fact.type.replace(".", "_"), job_id, state: view.state, error_code: view.error?.code },
        fact.type,
      );
    }
  };
