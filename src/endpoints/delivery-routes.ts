import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { DeliveryStatus } from "../../machines/delivery.words.ts";
import type { Query } from "../db/queries.ts";
import { describe } from "../http/describe.ts";
import type { Guard } from "../http/guard.ts";
import { Id } from "../http/ids.ts";
import { keyset, Page, PageQuery, readPage, toPage } from "../http/pagination.ts";
import type { EndpointCommands } from "./commands.ts";
import { RETRIED } from "./example.ts";
import { Sent, TAG } from "./routes.ts";
import { Delivery, DeliveryDetail, type DeliveryRow, showDelivery, showDeliveryDetail } from "./words.ts";

const byId = { params: Type.Object({ id: Id }) };

/** What became of the events that users have sent to themselves. */
export const createDeliveryRoutes = (deps: { guard: Guard; commands: EndpointCommands; query: Query }) => {
  const { commands, query } = deps;
  const keyOf = (row: DeliveryRow) => ({ at: row.created_at, id: row.id });

  return new Elysia({ name: "deliveries", prefix: "/webhooks" })
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
        detail: describe({
          tag: TAG,
          summary: "A delivery, with each try",
          answers: { 200: { description: "As it is now", example: RETRIED } },
        }),
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
};
