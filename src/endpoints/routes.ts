import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import type { Query } from "../db/queries.ts";
import { Problem } from "../errors.ts";
import { describe } from "../http/describe.ts";
import type { Guard } from "../http/guard.ts";
import { Id } from "../http/ids.ts";
import { keyset, Page, PageQuery, readPage, toPage } from "../http/pagination.ts";
import type { EndpointCommands, EndpointChange } from "./commands.ts";
import { NEW_WEBHOOK, WEBHOOK } from "./example.ts";
import type { FilterCheck } from "./filter.ts";
import { flawOf, type Targets } from "./target.ts";
import { Endpoint, type EndpointRow, Events, Ordered, Secret, showEndpoint, Url } from "./words.ts";

/** All that is below `/webhooks`, in the docs. */
export const TAG = "webhooks out";
const byId = { params: Type.Object({ id: Id }) };
const Create = Type.Object({ url: Url, events: Type.Optional(Events), ordered: Type.Optional(Ordered) });
const Change = Type.Object({
  url: Type.Optional(Url),
  events: Type.Optional(Events),
  ordered: Type.Optional(Ordered),
  disabled: Type.Optional(Type.Boolean({ description: "false: it goes on where it had stopped" })),
});
const WithSecret = Type.Object({ ...Endpoint.properties, secret: Secret });
/** What is on its way. */
export const Sent = Type.Object({ delivery_id: Type.String() });

/** Users' own webhooks: where events are sent. */
export const createEndpointRoutes = (deps: {
  guard: Guard;
  commands: EndpointCommands;
  query: Query;
  checkEvents: FilterCheck;
  targets: Targets;
  now(): number;
}) => {
  const { commands, query, checkEvents, targets, now } = deps;
  const show = (row: EndpointRow) => showEndpoint(row, now());
  const keyOf = (row: { created_at: number; id: string }) => ({ at: row.created_at, id: row.id });

  const mustBeGood = ({ url, events }: EndpointChange) => {
    const flaw = url === undefined ? null : flawOf(url, targets);
    const errors = [
      ...(flaw === null ? [] : [{ path: "/url", message: flaw }]),
      ...(events === undefined ? [] : checkEvents(events)),
    ];
    if (errors.length > 0) throw new Problem("validation_failed", undefined, { errors });
  };

  return new Elysia({ name: "endpoints", prefix: "/webhooks" })
    .use(deps.guard.plugin)
    .post(
      "/",
      async ({ body, caller, set }) => {
        mustBeGood(body);
        const row = await commands.create(caller, { events: ["*"], ordered: false, ...body });
        set.status = 201;
        set.headers.location = `/webhooks/${row.id}`;
        return { ...show(row), secret: row.secret };
      },
      {
        auth: "user",
        body: Create,
        response: { 201: WithSecret },
        detail: describe({
          tag: TAG,
          summary: "Have events sent to a URL",
          description:
            "From now on, signed as Standard Webhooks: keep the secret, it is not shown again. All events without `events`.",
          problems: ["conflict"],
          example: NEW_WEBHOOK,
          answers: {
            201: {
              description: "It hears what happens from now on",
              example: { ...WEBHOOK, secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=" },
              headers: { Location: "the webhook" },
            },
          },
        }),
      },
    )
    .get(
      "/",
      async ({ query: asked, principal }) => {
        const { limit, after } = readPage(asked);
        const rows = await query<EndpointRow>("endpointsOfUser", [principal.userId, ...keyset(after), limit + 1]);
        return toPage(rows, limit, keyOf, show);
      },
      {
        auth: "user",
        query: PageQuery,
        response: { 200: Page(Endpoint) },
        detail: describe({ tag: TAG, summary: "List webhooks, newest first" }),
      },
    )
    .get("/:id", async ({ params, principal }) => show(await commands.find(params.id, principal.userId)), {
      auth: "user",
      ...byId,
      response: { 200: Endpoint },
      detail: describe({ tag: TAG, summary: "A webhook" }),
    })
    .patch(
      "/:id",
      async ({ params, body, caller }) => {
        mustBeGood(body);
        return show(await commands.change(params.id, caller, body));
      },
      {
        auth: "user",
        ...byId,
        body: Change,
        response: { 200: Endpoint },
        detail: describe({
          tag: TAG,
          summary: "Change, disable or enable a webhook",
          description:
            "While it is disabled nothing is sent, and nothing is lost: enabled again, it goes on where it had stopped.",
          example: { events: ["job.*"], disabled: false },
        }),
      },
    )
    .delete(
      "/:id",
      async ({ params, caller, set }) => {
        await commands.remove(params.id, caller);
        set.status = 204;
      },
      {
        auth: "user",
        ...byId,
        detail: describe({
          tag: TAG,
          summary: "Delete a webhook",
          description: "Nothing more is sent; its deliveries go with it.",
          answers: { 204: { description: "Deleted" } },
        }),
      },
    )
    .post(
      "/:id/rotate",
      async ({ params, caller }) => {
        const row = await commands.rotate(params.id, caller);
        return { ...show(row), secret: row.secret };
      },
      {
        auth: "user",
        ...byId,
        response: { 200: WithSecret },
        detail: describe({
          tag: TAG,
          summary: "Give a webhook a new secret",
          description: "For a day events are signed with the one before as well.",
        }),
      },
    )
    .post(
      "/:id/test",
      async ({ params, caller, set }) => {
        set.status = 202;
        return { delivery_id: await commands.test(params.id, caller) };
      },
      {
        auth: "user",
        ...byId,
        response: { 202: Sent },
        detail: describe({ tag: TAG, summary: "Send a `darkroom.webhook.test` event", problems: ["conflict"] }),
      },
    );
};
