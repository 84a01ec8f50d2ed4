import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { Problem } from "../../src/errors.ts";
import { createGuard } from "../../src/http/guard.ts";
import type { NewUser, Role } from "../../src/http/principal.ts";
import { createClient, problemOf, setup } from "./bundle.ts";

const USER = "019a5b0e-0000-7000-8000-000000000001";
const DEMO: NewUser = { id: "00000000-0000-0000-0000-000000000001", email: "test@example.com", role: "user" };
const EXPIRES = 4_000_000_000_000;

const start = (options: { demo?: boolean; provision?: (user: NewUser) => Promise<void> } = {}) => {
  const { base, exchanges, lines } = setup();
  const provisioned: NewUser[] = [];
  const guard = createGuard({
    // A token is its own role.
    verify: async (token) =>
      ["user", "operator", "admin"].includes(token) ? { userId: USER, role: token as Role, expiresAt: EXPIRES } : null,
    provision: options.provision ?? (async (user) => void provisioned.push(user)),
    demo: options.demo ? DEMO : null,
    exchanges,
  });
  const slice = new Elysia()
    .use(guard.plugin)
    .get("/public", () => "hello")
    .get("/user", ({ principal, requestId }) => ({ ...principal, requestId }), { auth: "user" })
    .get("/bearer", ({ principal }) => principal, { auth: "bearer" })
    .get("/operator", ({ principal }) => principal.role, { auth: "role:operator" })
    .get("/admin", ({ principal }) => principal.role, { auth: "role:admin" })
    .post("/bearer", ({ body }) => body, { auth: "bearer", body: Type.Object({ a: Type.String() }) });
  const as = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
  return { ...createClient(base.use(slice)), guard, provisioned, lines, as };
};

describe("a guarded route", () => {
  it("knows the principal of a good token, and the log knows the user", async () => {
    const { send, as, provisioned, lines } = start();
    const response = await send("/user", as("operator"));
    assert.deepEqual(await response.json(), {
      userId: USER,
      role: "operator",
      expiresAt: EXPIRES,
      anonymous: false,
      requestId: response.headers.get("x-request-id"),
    });
    assert.deepEqual(provisioned, [{ id: USER, role: "operator" }]);
    assert.equal(lines.at(-1)?.user_id, USER);
    assert.equal((await send("/user", { headers: { authorization: "bearer user" } })).status, 200);
  });

  it("answers 401 with a challenge when there is no token, and another one when it is bad", async () => {
    const { send, as } = start();
    const without = await send("/bearer");
    assert.deepEqual([without.status, without.headers.get("www-authenticate")], [401, 'Bearer realm="darkroom"']);
    assert.equal((await problemOf(without)).code, "unauthenticated");
    const bad = await send("/bearer", as("forged"));
    assert.deepEqual(
      [bad.status, bad.headers.get("www-authenticate")],
      [401, 'Bearer realm="darkroom", error="invalid_token"'],
    );
    for (const authorization of [
      "",
      "user",
      "Basic dXNlcjpwYXNz",
      "Bearer",
      "Bearer ",
      "Bearer user admin",
      `Bearer ${"x".repeat(10_000)}`,
    ])
      assert.equal((await send("/bearer", { headers: { authorization } })).status, 401, authorization.slice(0, 20));
  });

  it("lets nobody through to validation without a token", async () => {
    const { post } = start();
    assert.equal((await post("/bearer", { a: 1 })).status, 401);
    assert.equal((await post("/bearer", { a: 1 }, { authorization: "Bearer user" })).status, 422);
  });

  it("wants the role it names or a higher one", async () => {
    const { send, as } = start();
    const status = async (path: string, role: string) => (await send(path, as(role))).status;
    assert.deepEqual(
      [await status("/operator", "user"), await status("/operator", "operator"), await status("/operator", "admin")],
      [403, 200, 200],
    );
    assert.deepEqual(
      [await status("/admin", "user"), await status("/admin", "operator"), await status("/admin", "admin")],
      [403, 403, 200],
    );
    assert.equal((await problemOf(await send("/admin", as("user")))).code, "forbidden");
    assert.equal((await send("/admin")).status, 401);
  });

  it("without a rule is public", async () => {
    assert.equal(await (await start().send("/public")).text(), "hello");
  });

  it("answers 503 when the user's row cannot be written now", async () => {
    const { send, as } = start({
      provision: () => Promise.reject(Object.assign(new Error("x"), { code: "CONNECTION_CLOSED" })),
    });
    assert.equal((await send("/user", as("user"))).status, 503);
  });
});

describe("demo mode", () => {
  it("makes a caller without a token the demo user, on routes of service A only", async () => {
    const { send, provisioned } = start({ demo: true });
    const { userId, role, anonymous } = (await (await send("/user")).json()) as Record<string, unknown>;
    assert.deepEqual([userId, role, anonymous], [DEMO.id, "user", true]);
    assert.deepEqual(provisioned, [DEMO]);
    for (const path of ["/bearer", "/operator", "/admin"]) assert.equal((await send(path)).status, 401, path);
  });

  it("does not forgive a bad token", async () => {
    const { send, as } = start({ demo: true });
    assert.equal((await send("/user", as("forged"))).status, 401);
    assert.equal((await send("/user", { headers: { authorization: "" } })).status, 401);
  });

  it("is off by default", async () => {
    assert.equal((await start().send("/user")).status, 401);
  });
});

describe("authenticate", () => {
  it("gives a WebSocket its principal by the token alone", async () => {
    const { guard } = start({ demo: true });
    assert.equal((await guard.authenticate("user")).userId, USER);
    const unauthenticated = (error: unknown) => error instanceof Problem && error.code === "unauthenticated";
    await assert.rejects(guard.authenticate(null), unauthenticated);
    await assert.rejects(guard.authenticate(""), unauthenticated);
    await assert.rejects(guard.authenticate("forged"), unauthenticated);
  });
});
