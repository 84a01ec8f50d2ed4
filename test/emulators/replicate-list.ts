/** `GET /predictions`: newest first, in pages that are linked by a cursor. */
import type { Emulator } from "./kit.ts";
import type { Runs } from "./kit-runs.ts";
import type { Kept, PredictionRun, WirePrediction } from "./replicate-run.ts";
import { problem } from "./replicate-submit.ts";

export const addListRoute = (
  emulator: Emulator,
  {
    base,
    pageSize,
    listWebhooks,
    runs,
    wire,
  }: {
    base: string;
    pageSize: number;
    listWebhooks: boolean;
    runs: Runs<Kept>;
    wire(run: PredictionRun): WirePrediction;
  },
): void => {
  emulator.route("list", "GET", /^\/v1\/predictions$/, ({ query }) => {
    const time = (name: string, otherwise: number) => (query.has(name) ? Date.parse(query.get(name) ?? "") : otherwise);
    const from = time("created_after", Number.NEGATIVE_INFINITY);
    const to = time("created_before", Number.POSITIVE_INFINITY);
    if (Number.isNaN(from) || Number.isNaN(to)) return problem(400, "Bad request", "Invalid date");
    const within = runs.all().filter(({ createdAt }) => createdAt >= from && createdAt < to);
    const rows = within.reverse();
    const start = Number(query.get("cursor") ?? 0);
    const link = (cursor: number) => {
      const linked = new URLSearchParams(query);
      linked.set("cursor", String(cursor));
      return `${base}/predictions?${linked}`;
    };
    const results = rows.slice(start, start + pageSize).map((run) => {
      const { webhook, webhook_events_filter, ...row } = wire(run);
      return listWebhooks ? { ...row, webhook, webhook_events_filter } : row;
    });
    return {
      json: {
        previous: start > 0 ? link(Math.max(0, start - pageSize)) : null,
        next: start + pageSize < rows.length ? link(start + pageSize) : null,
        results,
      },
    };
  });
};
