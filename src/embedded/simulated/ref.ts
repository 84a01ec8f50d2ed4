import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";
import { Value } from "@sinclair/typebox/value";
import { Plan } from "./plan.ts";

/** Turns plans into refs and back. */
export type Seal = {
  seal(plan: Plan): string;
  /** The plan inside `ref`, or null when this secret did not make it. Never throws. */
  open(ref: string): Plan | null;
};

const VERSION = "sim1";

/**
 * Refs are `sim1.<plan as base64url JSON>.<HMAC-SHA256>`: any process that knows `secret` can read one,
 * nobody else can make one. Only characters that need no escaping in a URL.
 */
export const createSeal = (secret: string): Seal => {
  const sign = (payload: string) => createHmac("sha256", secret).update(`${VERSION}.${payload}`).digest();
  return {
    seal: (plan) => {
      const payload = Buffer.from(JSON.stringify(plan)).toString("base64url");
      return `${VERSION}.${payload}.${sign(payload).toString("base64url")}`;
    },
    open: (ref) => {
      const [version, payload, signature, ...rest] = ref.split(".");
      if (version !== VERSION || !payload || !signature || rest.length > 0) return null;
      const given = Buffer.from(signature, "base64url");
      const expected = sign(payload);
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
      const plan: unknown = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
      return Value.Check(Plan, plan) ? plan : null;
    },
  };
};
