import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { DeliveryStatus } from "../../machines/delivery.words.ts";
import type { Query } from "../db/queries.ts";
import { Problem } from "../errors.ts";
import { describe } from "../http/describe.ts";
import type { Guard } from "../http/guard.ts";
import { Id } from "../http/ids.ts";
import { keyset, Page, PageQuery, readPage, toPage } from "../http/pagination.ts";
import type { EndpointCommands, EndpointChange } from "./commands.ts";
import type { FilterCheck } from "./filter.ts";
import { flawOf, type Targets } from "./target.ts";
import {
  Delivery,
  DeliveryDetail,
  type DeliveryRow,
  Endpoint,
  type EndpointRow,
  Events,
  Ordered,
  Secret,
  showDelivery,
  showDeliveryDetail,
  showEndpoint,
  Url,
} from "./words.ts";

const TAG = "webhooks out";
const byId = { params: Type.Object({ id: Id }) };
const EXAMPLE = { url: "https://app.example/webhooks", events: ["job.succeeded", "job.failed"], ordered: false };

const Create = Type.Object({ url: Url, events: Type.Optional(Events), ordered: Type.Optional(Ordered) });
const Change = Type.Object({
  url: Type.Optional(Url),
  events: Type.Optional(Events),
  ordered: Type.Optional(Ordered),
  disabled: Type.Optional(Type.Boolean({ description: "false: it goes on where it had stopped" })),
});
const WithSecret = Type.Object({ ...Endpoint.properties, secret: Secret });
const Sent = Type.Object({ delivery_id: Type.String() });

/** Users' own webhooks: where events are sent, and what became of them. */
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

  const endpoints = new Elysia({ name: "endpoints", prefix: "/webhooks" })
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
          example: EXAMPLE,
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

  const deliveries = new Elysia({ name: "deliveries", prefix: "/webhooks" })
    .use(deps.guard.plugin)
    .get(
      "/:id/deliveries",
      async ({ params, query: asked, principal }) => {
        await commands.find(params.id, principal.userId);
        const { limit, after } = readPage(asked);
        const page = [params.id, ...keyset(after), limit + 1];
        const rows =
          asked.status === undefined
            ? await query<DeliveryRow>("deliveriesOfEndpoint", page)
            : await query<DeliveryRow>("deliveriesOfEndpointIn", [...page, asked.status]);
        return toPage(rows, limit, keyOf, showDelivery);
      },
      {
        auth: "user",
        ...byId,
        query: Type.Object({ ...PageQuery.properties, status: Type.Optional(DeliveryStatus) }),
        response: { 200: Page(Delivery) },
        detail: describe({
          tag: TAG,
          summary: "List what was sent, and is to be, newest first",
          description: "Kept for 30 days after its end.",
        }),
      },
    )
    .get(
      "/deliveries/:id",
      async ({ params, principal }) => showDeliveryDetail(await commands.findDelivery(params.id, principal.userId)),
      {
        auth: "user",
        ...byId,
        response: { 200: DeliveryDetail },
        detail: describe({ tag: TAG, summary: "A delivery, with each try" }),
      },
    )
    .post(
      "/deliveries/:id/redeliver",
      async ({ params, caller, set }) => {
        set.status = 202;
        return { delivery_id: await commands.redeliver(params.id, caller) };
      },
      {
        auth: "user",
        ...byId,
        response: { 202: Sent },
        detail: describe({
          tag: TAG,
          summary: "Send it again",
          description:
            "What waits to be sent again is sent at once. What has ended is sent anew, by a delivery of its own with the " +
            "same `webhook-id`.",
          problems: ["conflict"],
        }),
      },
    );
  return new Elysia({ name: "endpoint-routes" }).use(endpoints).use(deliveries);
};
