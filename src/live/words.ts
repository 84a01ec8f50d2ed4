import { type Static, Type } from "@sinclair/typebox";
import { Batch } from "../batches/words.ts";
import { Chat } from "../chats/words.ts";
import { Job } from "../jobs/words.ts";
import { StreamName } from "../streams/words.ts";

/** All that a user owns, as far as one wants to see it at once: the lists have the rest. */
export const Overview = Type.Object({
  user_id: Type.String(),
  chats: Type.Array(Chat, { description: "the 20 newest" }),
  jobs: Type.Array(Job, { description: "the 20 newest" }),
  batches: Type.Array(Batch, { description: "the 20 newest" }),
});
export type Overview = Static<typeof Overview>;

export const TicketWish = Type.Object({
  streams: Type.Array(StreamName, { minItems: 1, maxItems: 100, uniqueItems: true }),
});

export const Ticket = Type.Object({
  ticket: Type.String({ description: "for `?ticket=`" }),
  expires_at: Type.String({
    format: "date-time",
    description: "once it was used for the first time, within 30 s; with the token that it was had for",
  }),
});
