import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import { describe, it } from "node:test";
import { DEMO_USER_ID } from "../../src/auth/demo.ts";
import { createTokens } from "../../src/auth/tokens.ts";

const SECRET = new TextEncoder().encode("an old darkroom smells of vinegar");
const USER = "019a5b0e-0000-7000-8000-000000000001";
const NOW = 1_800_000_000_000;
const SECONDS = NOW / 1000;

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Signs anything with any HMAC, as a forger would. */
const forge = (claims: object, options: { alg?: string; secret?: Uint8Array | string; header?: object } = {}) => {
  const { alg = "HS256", secret = SECRET, header = {} } = options;
  const text = `${part({ alg, typ: "JWT", ...header })}.${part(claims)}`;
  if (alg === "none") return `${text}.`;
  return `${text}.${createHmac(`sha${alg.slice(2)}`, secret)
    .update(text)
    .digest("base64url")}`;
};

const good = { iss: "darkroom", aud: "darkroom", sub: USER, role: "user", iat: SECONDS, exp: SECONDS + 60 };
const without = (name: keyof typeof good) => Object.fromEntries(Object.entries(good).filter(([key]) => key !== name));

const setup = (options: { demo?: boolean } = {}) => {
  let now = NOW;
  const tokens = createTokens({ secret: SECRET, ttlS: 60, demo: options.demo ?? false, now: () => now });
  return { tokens, pass: (ms: number) => (now += ms) };
};

describe("a token", () => {
  it("that we signed says who and until when", async () => {
    const { tokens } = setup();
    const { token, expiresIn } = await tokens.sign({ id: USER, role: "operator" });
    assert.equal(expiresIn, 60);
    assert.deepEqual(await tokens.verify(token), { userId: USER, role: "operator", expiresAt: NOW + 60_000 });
    const [header, payload] = token
      .split(".")
      .slice(0, 2)
      .map((text) => JSON.parse(Buffer.from(text, "base64url").toString()));
    assert.equal(header.alg, "HS256");
    const { iat, ...claims } = payload;
    assert.deepEqual(claims, { iss: "darkroom", aud: "darkroom", sub: USER, role: "operator", exp: SECONDS + 60 });
    assert.equal(typeof iat, "number");
  });

  it("that another service signed with the same secret is as good", async () => {
    const { tokens } = setup();
    assert.deepEqual(await tokens.verify(forge(good)), { userId: USER, role: "user", expiresAt: NOW + 60_000 });
    assert.equal((await tokens.verify(forge({ ...good, sub: USER.toUpperCase() })))?.userId, USER);
    assert.equal((await tokens.verify(forge({ ...good, aud: ["other", "darkroom"] })))?.userId, USER);
  });

  const forgeries: Record<string, string> = {
    "with alg none": forge(good, { alg: "none" }),
    "with alg None and a signature": forge(good, { header: { alg: "None" } }),
    "by another key": forge(good, { secret: "another secret of thirty-two bytes" }),
    "by an empty key": forge(good, { secret: "" }),
    "by HS512 and our key": forge(good, { alg: "HS512" }),
    "by HS384 and our key": forge(good, { alg: "HS384" }),
    "that says RS256": forge(good, { header: { alg: "RS256" } }),
    "that brings its own key": forge(good, { secret: "k", header: { jwk: { kty: "oct", k: "aw" } } }),
    "with an unknown critical header": forge(good, { header: { crit: ["x"], x: 1 } }),
    "without exp": forge(without("exp")),
    "that has expired": forge({ ...good, exp: SECONDS - 1 }),
    "that expires now": forge({ ...good, exp: SECONDS }),
    "with exp in words": forge({ ...good, exp: "2099-01-01" }),
    "that is not valid yet": forge({ ...good, nbf: SECONDS + 10 }),
    "of another issuer": forge({ ...good, iss: "someone" }),
    "of no issuer": forge(without("iss")),
    "for another audience": forge({ ...good, aud: "someone" }),
    "for no audience": forge(without("aud")),
    "without sub": forge(without("sub")),
    "with a sub that is no uuid": forge({ ...good, sub: "admin" }),
    "with a sub in urn spelling": forge({ ...good, sub: `urn:uuid:${USER}` }),
    "with a sub that is no text": forge({ ...good, sub: 1 }),
    "whose claims are no object": `${part({ alg: "HS256" })}.${Buffer.from("1").toString("base64url")}.x`,
    "with its payload changed": forge(good).replace(/\.[^.]+\./, `.${part({ ...good, role: "admin" })}.`),
    "cut short": forge(good).slice(0, -2),
    "of two parts": forge(good).split(".").slice(0, 2).join("."),
    "of no parts": "token",
    "that is empty": "",
  };
  for (const [name, token] of Object.entries(forgeries))
    it(`${name} is refused`, async () => {
      assert.equal(await setup().tokens.verify(token), null);
    });

  it("with a role that is not ours counts as a user's", async () => {
    const { tokens } = setup();
    for (const role of ["root", "", 1, null, ["admin"], undefined])
      assert.equal((await tokens.verify(forge({ ...good, role })))?.role, "user");
    assert.equal((await tokens.verify(forge({ ...good, role: "admin" })))?.role, "admin");
  });

  it("that is remembered still expires on time", async () => {
    const { tokens, pass } = setup();
    const token = forge(good);
    assert.ok(await tokens.verify(token));
    pass(59_999);
    assert.ok(await tokens.verify(token));
    pass(1);
    assert.equal(await tokens.verify(token), null);
    assert.equal(await tokens.verify(token), null);
  });

  it("that never really expires has a last instant that a date can hold", async () => {
    const { tokens } = setup();
    const claims = await tokens.verify(forge({ ...good, exp: 1e300 }));
    assert.ok(new Date(claims?.expiresAt ?? Number.NaN).toISOString());
  });

  it("of the demo user counts in demo mode only", async () => {
    const token = forge({ ...good, sub: DEMO_USER_ID });
    assert.equal((await setup({ demo: true }).tokens.verify(token))?.userId, DEMO_USER_ID);
    assert.equal(await setup({ demo: false }).tokens.verify(token), null);
  });
});
