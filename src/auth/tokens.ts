import { createHash } from "node:crypto";
import { jwt } from "@elysiajs/jwt";
import { LRUCache } from "lru-cache";
import { isUuid } from "../http/ids.ts";
import { isRole, type Role } from "../http/principal.ts";
import { DEMO_USER_ID } from "./demo.ts";

/** Issuer and audience of every token, ours or one that another service signs with the same secret. */
const ISSUER = "darkroom";
const AUDIENCE = "darkroom";
const CACHED_TOKENS = 10_000;
/** The last instant that a Date can hold, in milliseconds. */
const LAST_INSTANT = 8.64e15;

/** What a good token says. `expiresAt` is milliseconds since the epoch. */
export type Claims = { userId: string; role: Role; expiresAt: number };

/**
 * Signs and verifies access tokens (HS256). `verify` pins algorithm, issuer and audience and demands
 * `exp` and a uuid in `sub`: by itself the plugin accepts any HMAC, any issuer and no expiry. `role`
 * counts when it is one of ours, else it is `user`. Good tokens are remembered, by their hash, until
 * they expire. The demo user's tokens count in demo mode only.
 */
export const createTokens = (options: { secret: Uint8Array; ttlS: number; demo: boolean; now?: () => number }) => {
  const { secret, ttlS, demo, now = Date.now } = options;
  const signer = jwt({ name: "jwt", secret, alg: "HS256", iss: ISSUER, aud: AUDIENCE }).decorator.jwt;
  const known = new LRUCache<string, Claims>({ max: CACHED_TOKENS });

  const check = async (token: string): Promise<Claims | null> => {
    const payload = await signer.verify(token, {
      algorithms: ["HS256"],
      issuer: ISSUER,
      audience: AUDIENCE,
      requiredClaims: ["exp", "sub"],
      currentDate: new Date(now()),
    });
    if (!payload || typeof payload.sub !== "string" || typeof payload.exp !== "number") return null;
    const userId = payload.sub.toLowerCase();
    if (!isUuid(userId) || (userId === DEMO_USER_ID && !demo)) return null;
    const role = isRole(payload.role) ? payload.role : "user";
    return { userId, role, expiresAt: Math.min(payload.exp * 1000, LAST_INSTANT) };
  };

  return {
    /** A token and its life in seconds. */
    sign: async (user: { id: string; role: Role }): Promise<{ token: string; expiresIn: number }> => {
      const exp = Math.floor(now() / 1000) + ttlS;
      return { token: await signer.sign({ sub: user.id, role: user.role, exp }), expiresIn: ttlS };
    },
    /** The claims of a token, or null when it is not good. Never throws. */
    verify: async (token: string): Promise<Claims | null> => {
      const hash = createHash("sha256").update(token).digest("base64");
      const remembered = known.get(hash);
      if (remembered && remembered.expiresAt > now()) return remembered;
      const claims = remembered ? null : await check(token);
      if (claims) known.set(hash, claims);
      else known.delete(hash);
      return claims;
    },
  };
};

export type Tokens = ReturnType<typeof createTokens>;
