import { type Static, Type } from "@sinclair/typebox";

const MOST_DAYS = 36_500;
const Days = (description: string) =>
  Type.Union([Type.Integer({ minimum: 1, maximum: MOST_DAYS }), Type.Null()], { description });

/** Days after which things are deleted, by kind; null: never. */
export const Periods = Type.Object({
  chats: Days("days without a message after which a chat goes, with all that was made in it"),
  jobs: Days("days after its end when a job or request goes, with its outputs"),
  attachments: Days("days after its creation when an upload goes that nothing live uses"),
});
export type Periods = Static<typeof Periods>;

export const Retention = Type.Object({
  own: Periods,
  effective: Type.Object(Periods.properties, { description: "the shorter of one's own and the operator's" }),
});

const shorter = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.min(a, b);

/** What counts: a user may only shorten what the operator allows. */
export const effective = (own: Periods, allowed: Periods): Periods => ({
  chats: shorter(own.chats, allowed.chats),
  jobs: shorter(own.jobs, allowed.jobs),
  attachments: shorter(own.attachments, allowed.attachments),
});
