import assert from "node:assert/strict";
import type { Static } from "@sinclair/typebox";
import type { Delivery, DeliveryDetail, Endpoint } from "../../src/endpoints/words.ts";
import { until } from "../streams/until.ts";
import type { Client } from "../support/client.ts";
import type { Receiver } from "./receiver.ts";

export type Made = Endpoint & { secret: string };
export type Shown = Static<typeof Delivery>;
export type Detailed = Static<typeof DeliveryDetail>;

/** Fast, and to receivers on this machine. */
export const SETTINGS = {
  WEBHOOKS_ALLOW_PRIVATE: "1",
  WEBHOOK_RETRY_MIN_MS: "20",
  WEBHOOK_RETRY_MAX_MS: "40",
  WEBHOOK_TIMEOUT_MS: "2000",
};

/** Makes an endpoint at a receiver, which then knows its secret. */
export const subscribe = async (client: Client, receiver: Receiver, more: object = {}, path = "/"): Promise<Made> => {
  const { status, body } = await client.post<Made>("/webhooks", { url: `${receiver.url}${path}`, ...more });
  assert.equal(status, 201, JSON.stringify(body));
  receiver.trust(body.secret);
  return body;
};

export const deliveriesOf = async (client: Client, webhook: string, query = ""): Promise<Shown[]> => {
  const { status, body } = await client.get<{ items: Shown[] }>(`/webhooks/${webhook}/deliveries?limit=100${query}`);
  assert.equal(status, 200, JSON.stringify(body));
  return body.items;
};

export const deliveryOf = async (client: Client, id: string): Promise<Detailed> => {
  const { status, body } = await client.get<Detailed>(`/webhooks/deliveries/${id}`);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
};

/** Waits until a delivery has this status. Resolves to it as it is then. */
export const deliveryWhen = async (client: Client, id: string, wanted: string, ms = 15_000): Promise<Detailed> => {
  let found = await deliveryOf(client, id);
  await until(async () => {
    found = await deliveryOf(client, id);
    return found.status === wanted;
  }, ms).catch((error) => assert.fail(`${error.message}: ${JSON.stringify(found)}`));
  return found;
};

/** Sends a test event. Resolves to the delivery's id. */
export const sendTest = async (client: Client, webhook: string): Promise<string> => {
  const { status, body } = await client.post<{ delivery_id: string }>(`/webhooks/${webhook}/test`);
  assert.equal(status, 202, JSON.stringify(body));
  return body.delivery_id;
};

export const changeTo = async (client: Client, webhook: string, change: object): Promise<Endpoint> => {
  const { status, body } = await client.send<Endpoint>("PATCH", `/webhooks/${webhook}`, { body: change });
  assert.equal(status, 200, JSON.stringify(body));
  return body;
};
