/** The building blocks of the models' parameter schemas. Every parameter is optional and has a default or none. */
import { type TProperties, type TSchema, Type } from "@sinclair/typebox";

/** One of these values. Without a `fallback` the provider decides, and the field stays out of what is sent. */
export const choice = (
  values: readonly (string | number)[],
  fallback: string | number | undefined,
  description: string,
): TSchema =>
  Type.Optional(
    Type.Union(
      values.map((value) => Type.Literal(value)),
      { description, ...(fallback === undefined ? {} : { default: fallback }) },
    ),
  );

export const integer = (minimum: number, maximum: number, fallback: number, description: string): TSchema =>
  Type.Optional(Type.Integer({ minimum, maximum, default: fallback, description }));

export const decimal = (minimum: number, maximum: number, fallback: number, description: string): TSchema =>
  Type.Optional(Type.Number({ minimum, maximum, default: fallback, description }));

export const flag = (fallback: boolean, description: string): TSchema =>
  Type.Optional(Type.Boolean({ default: fallback, description }));

/** Without a default: the provider draws one. */
export const seed = (minimum: number, maximum: number): TSchema =>
  Type.Optional(Type.Integer({ minimum, maximum, description: "same seed, same picture; random when absent" }));

/** A whole parameter set; what it does not name is refused. */
export const parameters = (properties: TProperties) => Type.Object(properties, { additionalProperties: false });

/** The values that a schema made by `choice` allows, or nothing for another schema. */
export const choicesOf = (schema: TSchema): (string | number)[] =>
  Array.isArray(schema.anyOf) ? schema.anyOf.map((literal: { const: string | number }) => literal.const) : [];
