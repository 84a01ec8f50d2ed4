import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { describe } from "../http/describe.ts";
import type { Guard } from "../http/guard.ts";
import { OfferedModel } from "./model.ts";

/** `GET /models`: what can be made now, with each model's parameters as JSON Schema. */
export const createModelRoutes = ({ guard, models }: { guard: Guard; models: readonly OfferedModel[] }) =>
  new Elysia({ name: "models" }).use(guard.plugin).get("/models", () => ({ items: [...models] }), {
    auth: "user",
    response: { 200: Type.Object({ items: Type.Array(OfferedModel) }) },
    detail: describe({ tag: "models", summary: "Models on offer, their parameters, cost and latency words" }),
  });
