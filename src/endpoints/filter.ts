import type { FieldError } from "../errors.ts";

/** What webhooks tell of themselves is never sent by webhooks: it would never end. */
const OWN = new Set(["webhook", "delivery"]);

const kindOf = (type: string) => type.slice(0, type.indexOf("."));

/** Whether an endpoint that asks for `events` wants a fact of this type. */
export const wants = (events: readonly string[], type: string): boolean =>
  !OWN.has(kindOf(type)) && events.some((event) => event === "*" || event === type || event === `${kindOf(type)}.*`);

/** What can be asked for. */
export const createFilterCheck = (types: readonly string[]) => {
  const sendable = types.filter((type) => !OWN.has(kindOf(type)));
  const known = new Set(["*", ...sendable, ...sendable.map((type) => `${kindOf(type)}.*`)]);
  return (events: readonly string[]): FieldError[] =>
    events.flatMap((event, n) =>
      known.has(event) ? [] : [{ path: `/events/${n}`, message: "There is no such event: see /asyncapi.json" }],
    );
};
export type FilterCheck = ReturnType<typeof createFilterCheck>;
