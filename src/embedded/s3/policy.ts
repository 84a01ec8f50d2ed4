import { Buffer } from "node:buffer";
import { S3Error } from "./errors.ts";
import { ALGORITHM, type Keys, readAmzDate, readScope, sameSignature, signPolicy } from "./signature.ts";

/** What a POST policy allows to be stored. Sizes in bytes, both ends included. */
export type Grant = { key: string; minBytes: number; maxBytes: number };

type Condition =
  | { kind: "match"; operator: "eq" | "starts-with"; field: string; value: string }
  | { kind: "length"; min: number; max: number };

const refuse = (why: string) => new S3Error("AccessDenied", `Invalid according to policy: ${why}`);

const readCondition = (raw: unknown): Condition[] => {
  if (Array.isArray(raw) && raw.length === 3) {
    const [operator, a, b] = raw as [unknown, unknown, unknown];
    const name = typeof operator === "string" ? operator.toLowerCase() : "";
    if (name === "content-length-range") {
      const [min, max] = [Number(a), Number(b)];
      if (Number.isSafeInteger(min) && Number.isSafeInteger(max) && min >= 0) return [{ kind: "length", min, max }];
    }
    if ((name === "eq" || name === "starts-with") && typeof a === "string" && a.startsWith("$")) {
      return [{ kind: "match", operator: name, field: a.slice(1).toLowerCase(), value: String(b) }];
    }
  } else if (raw !== null && typeof raw === "object" && !Array.isArray(raw)) {
    return Object.entries(raw).map(([field, value]) => ({
      kind: "match",
      operator: "eq",
      field: field.toLowerCase(),
      value: String(value),
    }));
  }
  throw refuse("a condition is malformed");
};

const readPolicy = (base64: string): { expiration: number; conditions: Condition[] } => {
  let raw: unknown;
  try {
    raw = JSON.parse(Buffer.from(base64, "base64").toString("utf8"));
  } catch {
    throw refuse("it is not JSON");
  }
  const { expiration, conditions } = (raw ?? {}) as { expiration?: unknown; conditions?: unknown };
  const at = typeof expiration === "string" ? Date.parse(expiration) : Number.NaN;
  if (Number.isNaN(at) || !Array.isArray(conditions)) throw refuse("expiration or conditions are missing");
  return { expiration: at, conditions: conditions.flatMap(readCondition) };
};

const checkSignature = (fields: ReadonlyMap<string, string>, keys: Keys): string => {
  const need = (name: string) => {
    const value = fields.get(name);
    if (!value) throw new S3Error("AccessDenied", `The form field ${name} is missing`);
    return value;
  };
  const policy = need("policy");
  if (need("x-amz-algorithm") !== ALGORITHM) throw new S3Error("AccessDenied", `Only ${ALGORITHM} is supported`);
  const scope = readScope(need("x-amz-credential"));
  const amzDate = need("x-amz-date");
  if (!scope || readAmzDate(amzDate) === null || !amzDate.startsWith(scope.date) || scope.region !== keys.region) {
    throw new S3Error("AccessDenied", "The credential of the form is malformed");
  }
  if (scope.accessKeyId !== keys.accessKeyId) throw new S3Error("InvalidAccessKeyId");
  const expected = signPolicy(keys.secretAccessKey, scope, policy);
  if (!sameSignature(expected, need("x-amz-signature"))) throw new S3Error("SignatureDoesNotMatch");
  return policy;
};

/**
 * Verifies a browser's form upload: signature, expiration, and that every field is covered by a condition
 * that holds. `fields` has lower-case names, without the file. Throws `S3Error`.
 */
export const verifyPolicy = (
  fields: ReadonlyMap<string, string>,
  { bucket, keys, now }: { bucket: string; keys: Keys; now: number },
): Grant => {
  const { expiration, conditions } = readPolicy(checkSignature(fields, keys));
  if (now > expiration) throw refuse("it has expired");
  const grant: Grant = { key: fields.get("key") ?? "", minBytes: 0, maxBytes: Number.POSITIVE_INFINITY };
  const covered = new Set(["policy", "x-amz-signature", "bucket"]);
  const given = new Map([...fields, ["bucket", bucket] as const]);
  if ((fields.get("bucket") ?? bucket) !== bucket) throw refuse("the bucket is another one");
  for (const condition of conditions) {
    if (condition.kind === "length") {
      grant.minBytes = Math.max(grant.minBytes, condition.min);
      grant.maxBytes = Math.min(grant.maxBytes, condition.max);
      continue;
    }
    const { operator, field, value } = condition;
    const actual = given.get(field) ?? "";
    if (!(operator === "eq" ? actual === value : actual.startsWith(value))) {
      throw refuse(`condition failed: ["${operator}", "$${field}"]`);
    }
    covered.add(field);
  }
  const extra = [...fields.keys()].find((name) => !covered.has(name) && !name.startsWith("x-ignore-"));
  if (extra) throw refuse(`extra input field: ${extra}`);
  return grant;
};
