/** The building blocks of the models' parameter schemas. Every parameter is optional and has a default or none. */
import { type TProperties, type TSchema, Type } from "@sinclair/typebox";

const withDefault = (fallback: unknown) => (fallback === undefined ? {} : { default: fallback });

/** One of these values. Without a `fallback` the provider decides, and the field stays out of what is sent. */
export const choice = (
  values: readonly (string | number)[],
  fallback: string | number | undefined,
  description: string,
): TSchema =>
  Type.Optional(
    Type.Union(
      values.map((value) => Type.Literal(value)),
      { description, ...withDefault(fallback) },
    ),
  );

export const integer = (minimum: number, maximum: number, fallback: number | undefined, description: string): TSchema =>
  Type.Optional(Type.Integer({ minimum, maximum, description, ...withDefault(fallback) }));

export const decimal = (minimum: number, maximum: number, fallback: number | undefined, description: string): TSchema =>
  Type.Optional(Type.Number({ minimum, maximum, description, ...withDefault(fallback) }));

export const flag = (fallback: boolean | undefined, description: string): TSchema =>
  Type.Optional(Type.Boolean({ description, ...withDefault(fallback) }));

/** Words of the user. Without a default. */
export const words = (maxLength: number, description: string): TSchema =>
  Type.Optional(Type.String({ minLength: 1, maxLength, description }));

/** The address of a file that the provider is to read. */
export const link = (description: string): TSchema =>
  Type.Optional(Type.String({ maxLength: 2083, pattern: "^https://[^\\s]+$", description }));

/** Camera moves and the like, by the provider's ids. */
export const motions = (maxItems: number, description: string): TSchema =>
  Type.Optional(
    Type.Array(
      Type.Object(
        { id: Type.String({ minLength: 1, maxLength: 100 }), strength: Type.Number({ minimum: 0, maximum: 1 }) },
        { additionalProperties: false },
      ),
      { maxItems, description },
    ),
  );

/** Without a default: the provider draws one. */
export const seed = (minimum: number, maximum: number): TSchema =>
  Type.Optional(Type.Integer({ minimum, maximum, description: "same seed, same picture; random when absent" }));

/** A whole parameter set; what it does not name is refused. */
export const parameters = (properties: TProperties) => Type.Object(properties, { additionalProperties: false });

/** The values that a schema made by `choice` allows, or nothing for another schema. A choice of one is a literal. */
export const choicesOf = (schema: TSchema): (string | number)[] => {
  const literals = Array.isArray(schema.anyOf) ? schema.anyOf : "const" in schema ? [schema] : [];
  return literals.map((literal: { const: string | number }) => literal.const);
};
