import { Type } from "@sinclair/typebox";
import { DeliveryView } from "../../machines/delivery.words.ts";
import type { FactDescription } from "../streams/describe.ts";

const WebhookData = Type.Object({
  webhook_id: Type.String(),
  reason: Type.Union([Type.String(), Type.Null()], { description: "user · failing · gone; null: it is enabled" }),
});
const DeliveryData = Type.Object({
  delivery_id: Type.String(),
  webhook_id: Type.String(),
  ...DeliveryView.properties,
});

/** Everything that webhooks tell of themselves, in the stream of their endpoint. No webhook is sent for it. */
export const endpointFacts: FactDescription[] = [
  {
    type: "webhook.disabled",
    summary: "Nothing is sent to it any more, because its user or its receiver says so, or since everything failed",
    kept: { name: "Webhook", schema: WebhookData },
  },
  {
    type: "webhook.enabled",
    summary: "It goes on where it had stopped",
    kept: { name: "Webhook", schema: WebhookData },
  },
  {
    type: "delivery.failed",
    summary: "An event was not taken, whatever was tried",
    kept: { name: "DeliveryFact", schema: DeliveryData },
  },
];
