import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { BatchStatus } from "../../machines/batch.words.ts";
import { describe, describeStream, ENDED_IN_TIME } from "../http/describe.ts";
import { respond } from "../http/etag.ts";
import type { Guard } from "../http/guard.ts";
import { idempotency } from "../http/idempotency.ts";
import { Id } from "../http/ids.ts";
import type { Once } from "../http/once.ts";
import { Page, PageQuery, readPage, toPage } from "../http/pagination.ts";
import { Text } from "../http/text.ts";
import { readStreamCursor, StreamQuery } from "../streams/cursor.ts";
import type { Follow } from "../streams/follow.ts";
import type { OpenSource } from "../streams/source.ts";
import type { Patience } from "../jobs/patience.ts";
import { Failover } from "../jobs/words.ts";
import type { BatchCommands } from "./commands.ts";
import type { BatchReads } from "./reads.ts";
import { Batch, BatchDetail, BatchMetrics } from "./words.ts";

const GENERATE = "POST /api/generate";
const MOST_IMAGES = 100;
const byId = { params: Type.Object({ job_id: Id }) };
const seconds = (ms: number | null) => (ms === null ? null : ms / 1000);

const Generate = Type.Object({
  prompt: Text(8000),
  num_images: Type.Optional(Type.Integer({ minimum: 1, maximum: MOST_IMAGES, default: 1 })),
  model_key: Type.Optional(Type.String({ maxLength: 100 })),
  params: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  failover: Failover,
});

/** The second service's routes: several images of one prompt, with live progress. */
export const createBatchRoutes = (deps: {
  guard: Guard;
  commands: BatchCommands;
  reads: BatchReads;
  source: OpenSource;
  follow: Follow;
  patience: Patience;
  once: Once;
  urlEpoch(): number;
}) => {
  const { commands, reads } = deps;
  return new Elysia({ name: "batches", prefix: "/api/generate" })
    .use(deps.guard.plugin)
    .post(
      "/",
      async ({ body, principal, caller, request, set, status }) => {
        const keyed = request.headers.has("idempotency-key");
        const scope = keyed ? idempotency(request, principal.userId, GENERATE, body) : null;
        const done = await deps.once(scope, async () => {
          const { id, unit } = commands.create(caller, { ...body, num_images: body.num_images ?? 1 });
          return { unit, status: 202, body: { job_id: id, status: "QUEUED" as const } };
        });
        set.headers.location = `/api/generate/${done.body.job_id}`;
        if (done.replayed) set.headers["idempotency-replayed"] = "true";
        const open = () => deps.source(done.body.job_id, principal.userId);
        const whole = await deps.patience<BatchDetail>({ request, set }, principal.userId, open);
        if (whole) return whole;
        set.headers["retry-after"] = "1";
        return status(202, done.body);
      },
      {
        auth: "bearer",
        body: Generate,
        response: { 200: BatchDetail, 202: Type.Object({ job_id: Type.String(), status: BatchStatus }) },
        detail: describe({
          tag: "generate",
          summary: "Make images",
          description: "`Idempotency-Key` is optional here.",
          waits: true,
          problems: ["idempotency_key_reused"],
          example: { prompt: "A red fox in the snow", num_images: 5 },
          answers: {
            ...ENDED_IN_TIME,
            202: { headers: { Location: "the job", "Retry-After": "seconds until a first look" } },
          },
        }),
      },
    )
    .get(
      "/",
      async ({ query, principal }) => {
        const { limit, after } = readPage(query);
        const rows = await reads.list(principal.userId, after, limit);
        return toPage(rows, limit, (row) => ({ at: row.created_at, id: row.id }), reads.show);
      },
      {
        auth: "bearer",
        query: PageQuery,
        response: { 200: Page(Batch) },
        detail: describe({ tag: "generate", summary: "List requests, newest first" }),
      },
    )
    .get(
      "/:job_id",
      async ({ params, principal, request, set }) => {
        const { version, body } = await reads.detail(await reads.row(params.job_id, principal.userId));
        return respond({ request, set }, `${version}.${deps.urlEpoch()}`, () => body);
      },
      {
        auth: "bearer",
        ...byId,
        response: { 200: BatchDetail },
        detail: describe({ tag: "generate", summary: "Results so far, with a cursor" }),
      },
    )
    .get(
      "/:job_id/metrics",
      async ({ params, principal }) => {
        const shown = reads.show(await reads.row(params.job_id, principal.userId));
        const { job_id, status, num_images, completed, ttfi_ms, total_ms } = shown;
        return {
          job_id,
          status,
          num_images,
          completed,
          ttfi_ms,
          total_ms,
          ttfi_seconds: seconds(ttfi_ms),
          total_duration_seconds: seconds(total_ms),
        };
      },
      {
        auth: "bearer",
        ...byId,
        response: { 200: BatchMetrics },
        detail: describe({ tag: "generate", summary: "Time to first image, and total" }),
      },
    )
    .post(
      "/:job_id/cancel",
      async ({ params, principal, caller, set }) => {
        await commands.cancel(params.job_id, caller);
        set.status = 202;
        return reads.show(await reads.row(params.job_id, principal.userId));
      },
      {
        auth: "bearer",
        ...byId,
        response: { 202: Batch },
        detail: describe({ tag: "generate", summary: "Cancel what has not finished", problems: ["conflict"] }),
      },
    )
    .delete(
      "/:job_id",
      async ({ params, caller, set }) => {
        await commands.remove(params.job_id, caller);
        set.status = 204;
      },
      {
        auth: "bearer",
        ...byId,
        detail: describe({
          tag: "generate",
          summary: "Delete a request with its images",
          description: "Gone at once; what has not finished is canceled.",
          answers: { 204: { description: "Deleted" } },
        }),
      },
    )
    .get(
      "/:job_id/stream",
      async ({ params, principal, request }) => {
        const cursor = readStreamCursor(request);
        return deps.follow.sse(await deps.source(params.job_id, principal.userId), principal, cursor);
      },
      {
        watch: { rule: "bearer", stream: "batch", id: "job_id" },
        ...byId,
        query: StreamQuery,
        detail: describeStream({
          tag: "generate",
          summary: "Progress, live",
          description:
            "`snapshot` first when no cursor is given; job.updated and batch.updated; job.progress without an id, for " +
            "where its live jobs stand; ends with the request.",
          problems: ["too_many_connections"],
          events: [
            'id: 3\nevent: batch.updated\ndata: {"specversion":"1.0","type":"darkroom.batch.started","data":{"job_id":"…","status":"RUNNING"}}',
          ],
        }),
      },
    );
};
