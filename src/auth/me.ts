import { Elysia } from "elysia";
import { describe } from "../http/describe.ts";
import type { Guard } from "../http/guard.ts";
import type { UserCommands } from "./commands.ts";
import { Periods, Retention } from "./retention.ts";

/** What users do with themselves: how long their things are kept, and the end of it all. */
export const createMeRoutes = ({ guard, commands }: { guard: Guard; commands: UserCommands }) =>
  new Elysia({ name: "me", prefix: "/api/auth" })
    .use(guard.plugin)
    .delete(
      "/me",
      async ({ caller, set }) => {
        await commands.remove(caller);
        set.status = 204;
      },
      {
        auth: "bearer",
        detail: describe({
          tag: "auth",
          summary: "Delete me, with everything that I have",
          description:
            "Logins and tokens are refused within a few seconds, for ever; chats, jobs, requests, uploads and their " +
            "files follow. The demo user cannot be deleted.",
          problems: ["forbidden"],
          answers: { 204: { description: "Deleted" } },
        }),
      },
    )
    .get("/me/retention", ({ principal }) => commands.retention(principal.userId), {
      auth: "bearer",
      response: { 200: Retention },
      detail: describe({ tag: "auth", summary: "How long my things are kept" }),
    })
    .put("/me/retention", ({ caller, body }) => commands.retain(caller, body), {
      auth: "bearer",
      body: Periods,
      response: { 200: Retention },
      detail: describe({
        tag: "auth",
        summary: "Keep my things for fewer days",
        description: "null: as long as the operator does; that is never made longer.",
        example: { chats: 30, jobs: 7, attachments: 1 },
      }),
    });
