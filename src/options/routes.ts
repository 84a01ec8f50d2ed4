import { type Static, Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import type { Query } from "../db/queries.ts";
import { Problem } from "../errors.ts";
import { describe, ENDED_IN_TIME } from "../http/describe.ts";
import type { Guard } from "../http/guard.ts";
import { idempotency } from "../http/idempotency.ts";
import { Id } from "../http/ids.ts";
import type { Once } from "../http/once.ts";
import { keyset, Page, PageQuery, readPage, toPage } from "../http/pagination.ts";
import type { OptionCommands } from "./commands.ts";
import type { Patience } from "../jobs/patience.ts";
import { Failover, JobDetail } from "../jobs/words.ts";
import type { OpenSource } from "../streams/source.ts";
import { Option, type OptionRow, showOption } from "./words.ts";

const GENERATE = "POST /options/:id/generate";
const byId = { params: Type.Object({ id: Id }) };

/** Options: read them, press one. */
export const createOptionRoutes = (deps: {
  guard: Guard;
  commands: OptionCommands;
  once: Once;
  query: Query;
  job: OpenSource;
  patience: Patience;
}) => {
  const { commands, once, query } = deps;

  /** Options of a chat, or of one of its messages. */
  const list = async (chatId: string, messageId: string | null, userId: string, asked: Static<typeof PageQuery>) => {
    const [chat] = await query("chatById", [chatId, userId]);
    if (!chat) throw new Problem("not_found", "There is no such chat");
    if (messageId !== null && (await query("messageById", [messageId, chatId])).length === 0) {
      throw new Problem("not_found", "There is no such message");
    }
    const { limit, after } = readPage(asked);
    const rows = await query<OptionRow>("optionsOfChat", [chatId, messageId, ...keyset(after), limit + 1]);
    return toPage(rows, limit, (row) => ({ at: row.created_at, id: row.id }), showOption);
  };

  return new Elysia({ name: "options" })
    .use(deps.guard.plugin)
    .get(
      "/options/:id",
      async ({ params, principal }) => showOption(await commands.find(params.id, principal.userId)),
      {
        auth: "user",
        ...byId,
        response: { 200: Option },
        detail: describe({ tag: "options", summary: "An option" }),
      },
    )
    .get(
      "/chats/:id/options",
      ({ params, principal, query: asked }) => list(params.id, null, principal.userId, asked),
      {
        auth: "user",
        ...byId,
        query: PageQuery,
        response: { 200: Page(Option) },
        detail: describe({ tag: "options", summary: "Options of a chat, oldest first" }),
      },
    )
    .get(
      "/chats/:id/messages/:message_id/options",
      ({ params, principal, query: asked }) => list(params.id, params.message_id, principal.userId, asked),
      {
        auth: "user",
        params: Type.Object({ id: Id, message_id: Id }),
        query: PageQuery,
        response: { 200: Page(Option) },
        detail: describe({ tag: "options", summary: "Options of a message" }),
      },
    )
    .post(
      "/options/:id/generate",
      async ({ params, body, principal, caller, request, set, status }) => {
        const scope = idempotency(request, principal.userId, GENERATE, body ?? {});
        const done = await once(scope, async () => {
          const { unit, job } = await commands.generate(params.id, caller, body?.params, body?.failover);
          return { unit, status: 202, body: { job_id: job } };
        });
        set.headers.location = `/options/jobs/${done.body.job_id}`;
        if (done.replayed) set.headers["idempotency-replayed"] = "true";
        const open = () => deps.job(done.body.job_id, principal.userId);
        const whole = await deps.patience<JobDetail>({ request, set }, principal.userId, open);
        if (whole) return whole;
        set.headers["retry-after"] = "1";
        return status(202, done.body);
      },
      {
        auth: "user",
        ...byId,
        body: Type.Optional(
          Type.Object({
            params: Type.Optional(
              Type.Record(Type.String(), Type.Unknown(), {
                description: "replaces the option's, by the model's schema",
              }),
            ),
            failover: Failover,
          }),
        ),
        response: { 200: JobDetail, 202: Type.Object({ job_id: Type.String() }) },
        detail: describe({
          tag: "options",
          summary: "Press an option: make the image or video",
          idempotent: true,
          waits: true,
          problems: ["attachment_not_ready"],
          example: {},
          answers: {
            ...ENDED_IN_TIME,
            202: { headers: { Location: "the job", "Retry-After": "seconds until a first look" } },
          },
        }),
      },
    );
};
