import { Type } from "@sinclair/typebox";

/** Words of a person: up to `most` UTF-16 code units, at least one of them not blank. */
export const Text = (most: number) =>
  Type.String({
    minLength: 1,
    maxLength: most,
    pattern: "\\S",
    error: `Must be a text of 1 to ${most} characters that are not all blank`,
  });
