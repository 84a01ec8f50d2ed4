import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { DEMO_USER, DEMO_USER_ID } from "../../src/auth/demo.ts";
import { createKnownUsers } from "../../src/auth/known-users.ts";
import { createPasswords } from "../../src/auth/passwords.ts";
import { createAuthRoutes } from "../../src/auth/routes.ts";
import { createTokens } from "../../src/auth/tokens.ts";
import { connect, type Sql } from "../../src/db/connect.ts";
import { createQueries, loadQueries, type Query } from "../../src/db/queries.ts";
import { createGuard } from "../../src/http/guard.ts";
import type { NewUser } from "../../src/http/principal.ts";
import { createClient, problemOf, setup } from "../http/bundle.ts";
import { cloneDatabase, type TestDatabase } from "../support/postgres.ts";

const SECRET = new TextEncoder().encode("an old darkroom smells of vinegar");
const ADA = { id: "019a5b0e-0000-7000-8000-00000000000a", email: "ada@example.com", password: "engine" };

type Token = { access_token: string; token_type: string; expires_in: number };

describe("login", () => {
  let database: TestDatabase;
  let sql: Sql;
  let query: Query;
  const passwords = createPasswords({ cost: 4 });

  before(async () => {
    database = await cloneDatabase();
    sql = connect(database.url, { max: 4, role: "write" });
    query = createQueries(sql, loadQueries());
    await provision({
      id: ADA.id,
      email: ADA.email,
      passwordHash: await passwords.hash(ADA.password),
      role: "operator",
    });
  });
  after(async () => {
    await sql.end({ timeout: 5 });
    await database.drop();
  });

  const provision = async ({ id, email, passwordHash, role }: NewUser) => {
    const row = { id, email: email ?? null, password_hash: passwordHash ?? null, role };
    await sql`insert into users ${sql(row)} on conflict do nothing`;
  };

  const start = (demo: boolean, reads: Query = query) => {
    const { base, exchanges, lines } = setup();
    const tokens = createTokens({ secret: SECRET, ttlS: 900, demo });
    const known = createKnownUsers(provision);
    const guard = createGuard({ verify: tokens.verify, provision: known, demo: demo ? DEMO_USER : null, exchanges });
    const client = createClient(
      base.use(createAuthRoutes({ query: reads, tokens, passwords, provision: known, guard, demo })),
    );
    const login = (email: unknown, password: unknown) => client.post("/api/auth/login", { email, password });
    const me = (token: string) => client.send("/api/auth/me", { headers: { authorization: `Bearer ${token}` } });
    return { ...client, lines, tokens, login, me };
  };

  it("gives a bearer token by the contract, good for /api/auth/me", async () => {
    const { login, me } = start(false);
    const response = await login(" Ada@Example.com ", ADA.password);
    assert.deepEqual([response.status, response.headers.get("cache-control")], [200, "no-store"]);
    const token = (await response.json()) as Token;
    assert.deepEqual(Object.keys(token), ["access_token", "token_type", "expires_in"]);
    assert.deepEqual([token.token_type, token.expires_in], ["bearer", 900]);
    const who = (await (await me(token.access_token)).json()) as Record<string, string>;
    assert.deepEqual([who.id, who.email, who.role], [ADA.id, ADA.email, "operator"]);
    assert.match(who.created_at ?? "", /^\d{4}-.*Z$/);
  });

  it("fails alike for a wrong password, an unknown user and one without a password", async () => {
    await provision({ id: "019a5b0e-0000-7000-8000-00000000000b", email: "bare@example.com", role: "user" });
    const { login } = start(false);
    const answers = await Promise.all(
      [
        [ADA.email, "wrong"],
        ["nobody@example.com", ADA.password],
        ["bare@example.com", ""],
        ["' or 1=1 --", "x"],
      ].map(async ([email, password]) => {
        const response = await login(email, password || "x");
        const { request_id: _, ...problem } = await problemOf(response);
        return JSON.stringify([response.status, problem]);
      }),
    );
    assert.equal(new Set(answers).size, 1);
    assert.match(answers[0] ?? "", /^\[401,.*"code":"invalid_credentials"/);
  });

  it("hashes for an unknown user too, so that time tells nothing", async () => {
    const hashed: (string | null)[] = [];
    const verify = async (_: string, hash: string | null) => hashed.push(hash) < 0;
    const spying = { ...passwords, verify };
    const { base, exchanges } = setup();
    const tokens = createTokens({ secret: SECRET, ttlS: 900, demo: false });
    const guard = createGuard({ verify: tokens.verify, provision, demo: null, exchanges });
    const { post } = createClient(
      base.use(createAuthRoutes({ query, tokens, passwords: spying, provision, guard, demo: false })),
    );
    await post("/api/auth/login", { email: "nobody@example.com", password: "x" });
    await post("/api/auth/login", { email: DEMO_USER.email, password: "password123" });
    assert.deepEqual(hashed, [null, null]);
  });

  it("refuses what no password can be before hashing it", async () => {
    const { login, post } = start(false);
    for (const [email, password] of [
      [1, "x"],
      ["a@b", null],
      ["a@b", ""],
      ["a@b", "x".repeat(1025)],
      ["x".repeat(321), "x"],
      ["a\0@b", "x"],
    ])
      assert.equal((await login(email, password)).status, 422, String(email).slice(0, 10));
    assert.equal((await post("/api/auth/login", "{")).status, 400);
    assert.equal((await post("/api/auth/login", {})).status, 422);
  });

  it("never writes a password or a token to the log", async () => {
    const { login, me, lines } = start(false);
    const token = (await (await login(ADA.email, ADA.password)).json()) as Token;
    await me(token.access_token);
    await login(ADA.email, "a wrong guess");
    assert.doesNotMatch(JSON.stringify(lines), /engine|a wrong guess|eyJ/);
  });

  it("knows the demo user in demo mode, and writes its row once it is needed", async () => {
    const { login, me } = start(true);
    const token = (await (await login("test@example.com", "password123")).json()) as Token;
    const who = (await (await me(token.access_token)).json()) as Record<string, string>;
    assert.deepEqual([who.id, who.email, who.role], [DEMO_USER_ID, "test@example.com", "user"]);
    assert.equal((await login("test@example.com", "password124")).status, 401);
    const [row] = await sql`select email, role from users where id = ${DEMO_USER_ID}`;
    assert.deepEqual({ ...row }, { email: "test@example.com", role: "user" });
  });

  it("refuses the demo user and its tokens outside demo mode, though its row is there", async () => {
    await provision(DEMO_USER);
    const { login, me } = start(false);
    assert.equal((await login("test@example.com", "password123")).status, 401);
    const { token } = await createTokens({ secret: SECRET, ttlS: 900, demo: true }).sign(DEMO_USER);
    assert.equal((await me(token)).status, 401);
    await sql`update users set email = 'moved@example.com' where id = ${DEMO_USER_ID}`;
    assert.equal((await login("moved@example.com", "password123")).status, 401);
  });

  it("provisions a user that another service vouches for, with the role of the token", async () => {
    const { me, tokens } = start(false);
    const id = "019a5b0e-0000-7000-8000-00000000000c";
    const { token } = await tokens.sign({ id, role: "admin" });
    const who = (await (await me(token)).json()) as Record<string, string | null>;
    assert.deepEqual([who.id, who.email, who.role], [id, null, "admin"]);
  });

  it("is 503 while the database is away", async () => {
    const away: Query = () => Promise.reject(Object.assign(new Error("x"), { code: "CONNECTION_CLOSED" }));
    const response = await start(false, away).login(ADA.email, ADA.password);
    assert.deepEqual([response.status, (await problemOf(response)).code], [503, "unavailable"]);
  });

  it("asks for a token at /api/auth/me, in demo mode too", async () => {
    assert.equal((await start(true).send("/api/auth/me")).status, 401);
  });
});
