import { Elysia } from "elysia";
import { describe, describeStream } from "../http/describe.ts";
import type { Guard } from "../http/guard.ts";
import { readStreamCursor, StreamQuery } from "../streams/cursor.ts";
import type { Follow } from "../streams/follow.ts";
import type { Sources } from "./sources.ts";
import type { Tickets } from "./tickets.ts";
import { Ticket, TicketWish } from "./words.ts";

/** All that a user owns, live, and tickets for streams. */
export const createLiveRoutes = (deps: { guard: Guard; follow: Follow; open: Sources; tickets: Tickets }) =>
  new Elysia({ name: "live", prefix: "/streams" })
    .use(deps.guard.plugin)
    .get(
      "/me",
      async ({ principal, request }) => {
        const cursor = readStreamCursor(request);
        return deps.follow.sse(await deps.open(principal, "me"), principal, cursor);
      },
      {
        watch: { rule: "user", stream: "me" },
        query: StreamQuery,
        detail: describeStream({
          tag: "live",
          summary: "All that I own, live: chats, messages, options, jobs, requests, uploads",
          description:
            "A `snapshot` first when no cursor is given. The cursor is `ownersequence`, without gaps over all streams; " +
            "`reset` brings a fresh snapshot when it is unknown, or something behind it was deleted since.",
          problems: ["too_many_connections"],
          events: [
            'id: 41\nevent: job.updated\ndata: {"specversion":"1.0","type":"darkroom.job.started","sequence":"4","ownersequence":"41","data":{"job_id":"…","status":"RUNNING"}}',
          ],
        }),
      },
    )
    .post(
      "/tickets",
      async ({ body, principal, set }) => {
        // Others' streams are not found.
        await Promise.all(body.streams.map((stream) => deps.open(principal, stream)));
        set.status = 201;
        return deps.tickets.issue(principal, body.streams);
      },
      {
        auth: "user",
        body: TicketWish,
        response: { 201: Ticket },
        detail: describe({
          tag: "live",
          summary: "A ticket for streams, for a URL that no token should be in",
          description:
            "For `?ticket=` on server-sent events and `/ws`. To be used within 30 s; then as often as one likes, with a " +
            "cursor, for these streams, until the token expires that it was had for: an EventSource comes back by the same URL.",
          problems: ["not_found"],
          example: { streams: ["me", "chat:01a20337-24e0-7000-8000-000000000001"] },
        }),
      },
    );
