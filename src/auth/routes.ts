import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import type { Query } from "../db/queries.ts";
import { Problem } from "../errors.ts";
import { describe } from "../http/describe.ts";
import type { Guard } from "../http/guard.ts";
import type { NewUser, Role } from "../http/principal.ts";
import { DEMO_PASSWORD, DEMO_USER, DEMO_USER_ID } from "./demo.ts";
import type { Passwords } from "./passwords.ts";
import type { Tokens } from "./tokens.ts";

// Long enough for any passphrase, short enough that hashing it costs nothing.
const Credentials = Type.Object({
  email: Type.String({ minLength: 1, maxLength: 320 }),
  password: Type.String({ minLength: 1, maxLength: 1024 }),
});

const Token = Type.Object({
  access_token: Type.String(),
  token_type: Type.Literal("bearer"),
  expires_in: Type.Integer({ description: "Seconds" }),
});

const Me = Type.Object({
  id: Type.String(),
  email: Type.Union([Type.String(), Type.Null()]),
  role: Type.String(),
  created_at: Type.String({ description: "ISO 8601" }),
  expires_at: Type.String({ description: "When the token expires, ISO 8601" }),
});

type UserRow = { id: string; email: string | null; password_hash: string | null; role: Role; created_at: number };
type Account = { id: string; role: Role; passwordHash: string | null };

/**
 * `POST /api/auth/login` and `GET /api/auth/me`. A wrong password and an unknown user look alike, in
 * the body and in time. The demo user exists in demo mode only, whatever an earlier run left behind.
 */
export const createAuthRoutes = (deps: {
  query: Query;
  tokens: Tokens;
  passwords: Passwords;
  provision: (user: NewUser) => Promise<void>;
  guard: Guard;
  demo: boolean;
}) => {
  const { query, tokens, passwords, provision, guard, demo } = deps;

  const accountOf = async (email: string): Promise<Account | null> => {
    if (email === DEMO_USER.email) return demo ? DEMO_USER : null;
    const [row] = await query<UserRow>("userByEmail", [email]);
    return row && row.id !== DEMO_USER_ID ? { id: row.id, role: row.role, passwordHash: row.password_hash } : null;
  };

  return new Elysia({ name: "auth", prefix: "/api/auth" })
    .use(guard.plugin)
    .post(
      "/login",
      async ({ body }) => {
        const account = await accountOf(body.email.trim().toLowerCase());
        const good = await passwords.verify(body.password, account?.passwordHash ?? null);
        if (!account || !good) throw new Problem("invalid_credentials");
        if (account.id === DEMO_USER_ID) await provision(DEMO_USER);
        const { token, expiresIn } = await tokens.sign(account);
        return { access_token: token, token_type: "bearer" as const, expires_in: expiresIn };
      },
      {
        body: Credentials,
        response: { 200: Token },
        detail: describe({
          tag: "auth",
          summary: "Log in",
          problems: ["invalid_credentials"],
          example: { email: DEMO_USER.email, password: DEMO_PASSWORD },
          answers: {
            200: {
              description: "An access token",
              example: { access_token: "eyJ…", token_type: "bearer", expires_in: 3600 },
            },
          },
        }),
      },
    )
    .get(
      "/me",
      async ({ principal }) => {
        const [row] = await query<UserRow>("userById", [principal.userId]);
        if (!row) throw new Problem("unauthenticated", "The user of this token does not exist");
        return {
          id: row.id,
          email: row.email,
          role: principal.role,
          created_at: new Date(row.created_at).toISOString(),
          expires_at: new Date(principal.expiresAt).toISOString(),
        };
      },
      {
        auth: "bearer",
        response: { 200: Me },
        detail: describe({ tag: "auth", summary: "Who am I" }),
      },
    );
};
