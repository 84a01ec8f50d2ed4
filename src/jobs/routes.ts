import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { JobStatus } from "../../machines/job.words.ts";
import { describe, describeStream, ENDED_IN_TIME } from "../http/describe.ts";
import { respond } from "../http/etag.ts";
import type { Guard } from "../http/guard.ts";
import { idempotency } from "../http/idempotency.ts";
import { Id } from "../http/ids.ts";
import type { Once } from "../http/once.ts";
import type { Caller } from "../http/principal.ts";
import { Page, PageQuery, readPage, toPage } from "../http/pagination.ts";
import { readStreamCursor, StreamQuery } from "../streams/cursor.ts";
import type { Follow } from "../streams/follow.ts";
import type { OpenSource } from "../streams/source.ts";
import type { JobCommands } from "./commands.ts";
import type { Patience } from "./patience.ts";
import type { JobReads } from "./reads.ts";
import type { JobRow } from "./view.ts";
import { Job, JobDetail, Transition } from "./words.ts";

const byId = { params: Type.Object({ id: Id }) };
const RETRY = "POST /jobs/:id/retry";
const REMOVAL = {
  tag: "jobs",
  summary: "Delete a job",
  description:
    "Gone at once, with its outputs; canceled if it is live. Its stream, or that of its chat or request, tells `job.deleted`.",
  answers: { 204: { description: "Deleted" } },
};

/** Jobs: list, get, cancel, retry, timeline, live. */
export const createJobRoutes = (deps: {
  guard: Guard;
  reads: JobReads;
  commands: JobCommands;
  once: Once;
  source: OpenSource;
  follow: Follow;
  patience: Patience;
  /** Changes when signed URLs do, so that a 304 never keeps an expired one alive. */
  urlEpoch(): number;
}) => {
  const { reads, commands } = deps;
  // Of what is only computed, the place in the queue counts: nothing else of a queued job ever changes. What counts
  // down by itself (`retry_after_seconds`, `eta_seconds`) does not: it holds as of the answer that it came with.
  const version = (row: JobRow) =>
    `${row.version}.${row.paused_until ?? 0}.${deps.urlEpoch()}.${row.queue_position ?? ""}`;
  type Answer = { request: Request; set: { headers: Record<string, unknown> } };
  const get = async (context: Answer, id: string, userId: string) => {
    const row = await reads.row(id, userId);
    return respond(context, version(row), () => reads.detail(row));
  };

  const remove = async (id: string, caller: Caller, set: { status?: number | string }) => {
    await commands.remove(id, caller);
    set.status = 204;
  };

  const jobs = new Elysia({ name: "jobs", prefix: "/jobs" })
    .use(deps.guard.plugin)
    .get(
      "/",
      async ({ query, principal }) => {
        const { limit, after } = readPage(query);
        const rows = await reads.list(principal.userId, query, after, limit);
        const page = toPage(
          rows,
          limit,
          (row) => ({ at: row.created_at, id: row.id }),
          (row) => row,
        );
        return { items: await Promise.all(page.items.map(reads.show)), next_cursor: page.next_cursor };
      },
      {
        auth: "user",
        query: Type.Object({
          ...PageQuery.properties,
          status: Type.Optional(JobStatus),
          chat_id: Type.Optional(Id),
          batch_id: Type.Optional(Id),
          tool_type: Type.Optional(Type.String({ maxLength: 50 })),
        }),
        response: { 200: Page(Job) },
        detail: describe({ tag: "jobs", summary: "List jobs, newest first" }),
      },
    )
    .get("/:id", ({ params, principal, ...context }) => get(context, params.id, principal.userId), {
      auth: "user",
      ...byId,
      response: { 200: JobDetail },
      detail: describe({ tag: "jobs", summary: "A job with its cursor" }),
    })
    .delete("/:id", ({ params, caller, set }) => remove(params.id, caller, set), {
      auth: "user",
      ...byId,
      detail: describe(REMOVAL),
    })
    .post(
      "/:id/cancel",
      async ({ params, principal, caller, set }) => {
        await commands.cancel(params.id, caller);
        set.status = 202;
        return reads.detail(await reads.row(params.id, principal.userId));
      },
      {
        auth: "user",
        ...byId,
        response: { 202: JobDetail },
        detail: describe({
          tag: "jobs",
          summary: "Cancel a job",
          description: "The outcome is in `cancel`: before the start, upstream, or impossible (the cost stands).",
          problems: ["conflict"],
        }),
      },
    )
    .post(
      "/:id/retry",
      async ({ params, principal, caller, request, set, status }) => {
        const keyed = request.headers.has("idempotency-key");
        const scope = keyed ? idempotency(request, principal.userId, RETRY, {}) : null;
        const done = await deps.once(scope, async () => {
          const { job, unit } = await commands.retry(params.id, caller);
          return { unit, status: 202, body: { job_id: job } };
        });
        set.headers.location = `/jobs/${done.body.job_id}`;
        if (done.replayed) set.headers["idempotency-replayed"] = "true";
        const open = () => deps.source(done.body.job_id, principal.userId);
        const whole = await deps.patience<JobDetail>({ request, set }, principal.userId, open);
        if (whole) return whole;
        set.headers["retry-after"] = "1";
        return status(202, done.body);
      },
      {
        auth: "user",
        ...byId,
        response: { 200: JobDetail, 202: Type.Object({ job_id: Type.String() }) },
        detail: describe({
          tag: "jobs",
          summary: "Make a failed job again, as a new job with `retry_of`",
          description: "`Idempotency-Key` is optional here.",
          problems: ["conflict"],
          waits: true,
          answers: {
            ...ENDED_IN_TIME,
            202: { headers: { Location: "the new job", "Retry-After": "seconds until a first look" } },
          },
        }),
      },
    )
    .get(
      "/:id/timeline",
      async ({ params, principal }) => ({ items: await reads.timeline(params.id, principal.userId) }),
      {
        auth: "user",
        ...byId,
        response: { 200: Type.Object({ items: Type.Array(Transition) }) },
        detail: describe({ tag: "jobs", summary: "Every transition of a job" }),
      },
    )
    .get(
      "/:id/stream",
      async ({ params, principal, request }) => {
        const cursor = readStreamCursor(request);
        return deps.follow.sse(await deps.source(params.id, principal.userId), principal, cursor);
      },
      {
        watch: { rule: "user", stream: "job", id: "id" },
        ...byId,
        query: StreamQuery,
        detail: describeStream({
          tag: "jobs",
          summary: "One job, live",
          description:
            "A `snapshot` first when no cursor is given; ends with the job. `job.progress` (no id, not in the log, at " +
            "most every 3 s) tells its place in the queue, expected end and fine progress.",
          events: [
            'id: 7\nevent: job.updated\ndata: {"specversion":"1.0","type":"darkroom.job.succeeded",…}',
            'event: job.progress\ndata: {"specversion":"1.0","type":"darkroom.job.progress","data":{"job_id":"…","eta_seconds":{"p50":12,"p95":30},…}}',
          ],
        }),
      },
    );

  /** The first service's path for the same resource. */
  const seed = new Elysia({ name: "seed-jobs", prefix: "/options/jobs" })
    .use(deps.guard.plugin)
    .get("/:id", ({ params, principal, ...context }) => get(context, params.id, principal.userId), {
      auth: "user",
      ...byId,
      response: { 200: JobDetail },
      detail: describe({
        tag: "jobs",
        summary: "A job, to be polled: see `retry_after_seconds`, `eta_seconds` and the ETag",
      }),
    })
    .delete("/:id", ({ params, caller, set }) => remove(params.id, caller, set), {
      auth: "user",
      ...byId,
      detail: describe(REMOVAL),
    });
  return new Elysia({ name: "job-routes" }).use(jobs).use(seed);
};
