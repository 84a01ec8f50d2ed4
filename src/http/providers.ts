import { type Static, Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { nullable } from "../../machines/job.words.ts";
import { describe } from "./describe.ts";
import type { Guard } from "./guard.ts";

const instant = (description: string) => nullable(Type.String({ format: "date-time", description }));
const perMinute = (description: string) => nullable(Type.Number({ description }));

/** A provider's account as operators see it: the same on every node, but for `breaker`. */
export const ProviderState = Type.Object({
  provider: Type.String(),
  slots: Type.Integer({ description: "jobs that may be at the provider at once" }),
  in_use: Type.Integer(),
  waiting: Type.Integer({ description: "jobs in the queue" }),
  paused_reason: nullable(Type.String({ description: "why nothing is submitted: out_of_credit, rate_limited, …" })),
  paused_at: instant("since when"),
  paused_until: instant("when one job is let through to try; its acceptance ends the pause"),
  probing: Type.Boolean({ description: "that job is under way" }),
  strikes: Type.Integer({ description: "how often in a row the provider said so" }),
  submits_per_minute: perMinute("what the account allows; null: no limit known"),
  submit_tokens: nullable(Type.Integer({ description: "submits that could start now by that rate" })),
  checks_per_minute: perMinute("the same for status calls"),
  breaker: Type.String({ description: "closed, open or halfOpen, on the node that answers" }),
});
export type ProviderState = Static<typeof ProviderState>;

/** `GET /providers`: the governor's state, for operators. */
export const createProviderRoutes = ({ guard, read }: { guard: Guard; read(): Promise<ProviderState[]> }) =>
  new Elysia({ name: "providers" }).use(guard.plugin).get("/providers", async () => ({ items: await read() }), {
    auth: "role:operator",
    response: { 200: Type.Object({ items: Type.Array(ProviderState) }) },
    detail: describe({ tag: "operations", summary: "Provider accounts: slots, rates, pauses, breakers" }),
  });
