import { Type } from "@sinclair/typebox";
import { Problem } from "../errors.ts";

/** The query of every stream. */
export const StreamQuery = Type.Object({
  after: Type.Optional(
    Type.String({ maxLength: 20, description: "seq of the last event seen; 0 for all; absent: from now" }),
  ),
});

/** The cursor of a reconnect (`Last-Event-ID`) or of `?after=`; null for none. Throws `validation_failed`. */
export const readStreamCursor = (request: Request): number | null => {
  const text = request.headers.get("last-event-id") || new URL(request.url).searchParams.get("after");
  if (text === null || text === "") return null;
  const cursor = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(cursor)) return cursor;
  throw new Problem("validation_failed", "The cursor is not valid", {
    errors: [{ path: "/after", message: "Must be the seq of an event, or 0" }],
  });
};
