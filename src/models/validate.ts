import type { TSchema } from "@sinclair/typebox";
import { Value, type ValueError } from "@sinclair/typebox/value";
import type { FieldError } from "../errors.ts";
import type { Model } from "./model.ts";
import { choicesOf } from "./parameters.ts";

/** A body of a million unknown fields is answered with this many errors. */
const MAX_ERRORS = 20;

const explain = ({ schema, message }: ValueError): string => {
  const choices = choicesOf(schema as TSchema);
  if (choices.length > 0) return `must be one of ${choices.map((value) => JSON.stringify(value)).join(", ")}`;
  return message.replace(/^Unexpected property$/, "is not a parameter of this model").replace(/^Expected/, "expected");
};

export type Validated = { ok: true; value: Record<string, unknown> } | { ok: false; errors: FieldError[] };

/**
 * Checks `params` against the model's schema, without coercion, and fills in the defaults. `params` is never
 * changed; `undefined` counts as `{}`. Each error's `path` is a JSON pointer into `params` ("" is `params` itself).
 */
export const validateParams = (model: Pick<Model, "parameters">, params: unknown): Validated => {
  const given = params === undefined ? {} : params;
  const errors = new Map<string, FieldError>();
  // Before the defaults: filling them in copies the value, and a copy would lose an own `__proto__` unseen.
  for (const error of Value.Errors(model.parameters, given)) {
    if (!errors.has(error.path)) errors.set(error.path, { path: error.path, message: explain(error) });
    if (errors.size === MAX_ERRORS) break;
  }
  if (errors.size > 0) return { ok: false, errors: [...errors.values()] };
  return { ok: true, value: Value.Default(model.parameters, Value.Clone(given)) as Record<string, unknown> };
};
