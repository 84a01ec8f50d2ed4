import type { StateValue } from "xstate";
import type { JobContext } from "../../machines/job.context.ts";
import { isJobSnapshot, jobView } from "../../machines/job.view.ts";
import type { Query } from "../db/queries.ts";
import type { Log } from "../log.ts";
import type { Clock, Draws } from "../ports.ts";
import type { Aside } from "../streams/envelope.ts";
import { createPulses, type Finding } from "../streams/pulse.ts";
import type { OutlookOf, Standing } from "./outlook.ts";
import type { JobProgress } from "./words.ts";

/** Live jobs in one look; those beyond it wait for their facts. */
const MOST = 2_000;
/** An expected end that moved by less is not news. */
const SLACK_MS = 2_000;
const SLACK = 0.1;

type StandingRow = Standing & { id: string; stream_id: string; cursor: number };
/** `at`: when it was so. */
type State = { at: number; data: JobProgress };

const endOf = ({ at, data }: State, percent: "p50" | "p95"): number | null =>
  data.eta_seconds === null ? null : at + data.eta_seconds[percent] * 1000;

const moved = (before: State, now: State, percent: "p50" | "p95"): boolean => {
  const [was, is] = [endOf(before, percent), endOf(now, percent)];
  if (was === null || is === null) return was !== is;
  return Math.abs(is - was) > Math.max(SLACK_MS, SLACK * (is - now.at));
};

/** Whether a watcher's picture of the job, in which the expected end comes nearer by itself, is not true any more. */
const changed = (before: State, now: State): boolean =>
  (["status", "state", "progress", "queue_position"] as const).some((name) => before.data[name] !== now.data[name]) ||
  moved(before, now, "p50") ||
  moved(before, now, "p95");

/** `job.progress` for whoever watches: place in the queue, expected end and fine progress of live jobs. */
export const createJobPulses = (deps: {
  query: Query;
  clock: Clock;
  draws: Pick<Draws, "id">;
  log: Log;
  outlook: OutlookOf;
  source: string;
}) => {
  const { clock, outlook } = deps;

  const findingOf = (row: StandingRow): Finding<State> => {
    const view = jobView(row.snapshot.value as StateValue, row.snapshot.context as unknown as JobContext);
    const { status, state, progress } = view;
    const data = { job_id: row.id, status, state, progress, ...outlook(row) };
    return { stream: row.stream_id, subject: row.id, asOf: row.cursor, state: { at: clock.now(), data } };
  };

  const render = ({ stream, subject, state }: Finding<State>) => {
    const envelope: Aside = {
      specversion: "1.0",
      id: deps.draws.id(),
      source: deps.source,
      type: "darkroom.job.progress",
      subject,
      time: new Date(state.at).toISOString(),
      datacontenttype: "application/json",
      stream,
      data: state.data,
    };
    return { event: "job.progress", json: JSON.stringify(envelope) };
  };

  return createPulses<State>({
    clock,
    log: deps.log,
    look: async (streams) =>
      (await deps.query<StandingRow>("standings", [streams, MOST]))
        .filter(({ snapshot }) => isJobSnapshot(snapshot))
        .map(findingOf),
    changed,
    render,
  });
};
