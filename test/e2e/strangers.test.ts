import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { base64url } from "../http/bundle.ts";
import { startApp, TEST_SECRET, type TestApp } from "../support/app.ts";
import { type Client, createClient, type ProblemBody } from "../support/client.ts";
import { generate, jobWhen, say } from "../support/flow.ts";
import { openSocket, upgradeStatus } from "../support/socket.ts";

const ADA = "01900000-0000-7000-8000-0000000000ad";
const BOB = "01900000-0000-7000-8000-000000000b0b";

type Claims = Record<string, unknown>;
const now = () => Math.floor(Date.now() / 1000);
const good = (): Claims => ({ sub: ADA, role: "user", iss: "darkroom", aud: "darkroom", exp: now() + 600 });
const signed = (claims: Claims, { alg = "HS256", hash = "sha256", secret = TEST_SECRET } = {}) => {
  const text = `${base64url({ alg, typ: "JWT" })}.${base64url(claims)}`;
  return `${text}.${createHmac(hash, secret).update(text).digest("base64url")}`;
};

describe("a stranger", () => {
  let app: TestApp;
  let ada: Client;
  let bob: Client;
  /** Everything that is Ada's. */
  let reads: string[];
  let writes: [string, string, unknown?][];
  let batch: string;
  before(async () => {
    app = await startApp();
    [ada, bob] = await Promise.all([app.as(ADA), app.as(BOB)]);
    const { chat, option, job } = await generate(ada, "[fail] a fox");
    const { message } = await say(ada, chat, "another");
    await jobWhen(ada, job);
    const upload = await ada.post<{ upload_id: string }>("/attachments/presign", {
      file_name: "a.png",
      content_type: "image/png",
      size: 10,
    });
    const made = await ada.post<{ job_id: string }>("/api/generate", { prompt: "[stuck] a fox", num_images: 2 });
    batch = made.body.job_id;
    reads = [
      `/chats/${chat}`,
      `/chats/${chat}/messages`,
      `/chats/${chat}/messages/${message.id}`,
      `/chats/${chat}/messages/${message.id}/options`,
      `/chats/${chat}/options`,
      `/sse/${chat}`,
      `/sse/${chat}?after=0`,
      `/options/${option}`,
      `/options/jobs/${job}`,
      `/jobs/${job}`,
      `/jobs/${job}/timeline`,
      `/jobs/${job}/stream`,
      `/attachments/${upload.body.upload_id}`,
      `/api/generate/${batch}`,
      `/api/generate/${batch}/stream`,
      `/api/generate/${batch}/metrics`,
    ];
    writes = [
      ["PATCH", `/chats/${chat}`, { title: "Mine" }],
      ["DELETE", `/chats/${chat}`],
      ["POST", `/chats/${chat}/messages`, { text: "Hello" }],
      ["POST", `/options/${option}/generate`, {}],
      ["POST", `/jobs/${job}/cancel`],
      ["POST", `/jobs/${job}/retry`],
      ["POST", `/api/generate/${batch}/cancel`],
    ];
  });
  after(() => app[Symbol.asyncDispose]());

  const tryAll = async (client: Client, status: number, code: string) => {
    for (const path of reads) {
      const answer = await client.get<ProblemBody>(path);
      assert.deepEqual([answer.status, answer.body.code], [status, code], path);
    }
    for (const [method, path, body] of writes) {
      const answer = await client.send<ProblemBody>(method, path, { body, headers: { "idempotency-key": "k" } });
      assert.deepEqual([answer.status, answer.body.code], [status, code], `${method} ${path}`);
    }
  };

  it("finds nothing of another user's: no resource, no stream, no list, and can change nothing", async () => {
    await tryAll(bob, 404, "not_found");
    for (const list of ["/chats", "/jobs", "/api/generate", `/jobs?batch_id=${batch}`]) {
      assert.deepEqual((await bob.get<{ items: unknown[] }>(list)).body.items, [], list);
    }
    assert.equal(await upgradeStatus(`${app.url}/api/generate/${batch}?token=${await app.token(BOB)}`), 404);
    for (const path of reads.filter((one) => !/sse|stream/.test(one))) {
      assert.equal((await ada.get(path)).status, 200, path);
    }
  });

  it("without a token is the demo user, to whom Ada's things are not there", async () => {
    const own = reads.filter((path) => !path.startsWith("/api/"));
    for (const path of own) assert.equal((await app.client.get(path)).status, 404, path);
  });

  it("with a token that was expired, forged or made for others is refused everywhere", async () => {
    const { exp: _, ...endless } = good();
    const { sub: __, ...nobody } = good();
    const none = `${base64url({ alg: "none", typ: "JWT" })}.${base64url(good())}.`;
    const whole = signed(good());
    const forged: Record<string, string> = {
      expired: signed({ ...good(), exp: now() - 1 }),
      "alg none": none,
      "alg none with a signature": `${none}${whole.split(".")[2]}`,
      "another key": signed(good(), { secret: "another darkroom smells of roses" }),
      "another algorithm": signed(good(), { alg: "HS512", hash: "sha512" }),
      "no expiry": signed(endless),
      "nobody's": signed(nobody),
      "another issuer": signed({ ...good(), iss: "elsewhere" }),
      "another audience": signed({ ...good(), aud: "elsewhere" }),
      "a subject that is no id": signed({ ...good(), sub: "ada" }),
      "not yet good": signed({ ...good(), nbf: now() + 600 }),
      tampered: `${whole.split(".")[0]}.${base64url({ ...good(), sub: BOB })}.${whole.split(".")[2]}`,
      "not a token": "x.y.z",
      huge: "x".repeat(9000),
    };
    for (const [what, token] of Object.entries(forged)) {
      const client = createClient(() => app.url, { authorization: `Bearer ${token}` });
      for (const path of [reads[0], reads.at(-1), "/api/auth/me"]) {
        const { status, body } = await client.get<ProblemBody>(String(path));
        assert.deepEqual([status, body.code], [401, "unauthenticated"], `${what}: ${path}`);
      }
      const socket = `${app.url}/api/generate/${batch}?token=${encodeURIComponent(token)}`;
      assert.equal(await upgradeStatus(socket), 401, what);
    }
    await tryAll(
      createClient(() => app.url, { authorization: "Basic YWRhOmFkYQ==" }),
      401,
      "unauthenticated",
    );
    await tryAll(
      createClient(() => app.url, { authorization: `Bearer ${forged.expired}` }),
      401,
      "unauthenticated",
    );
  });

  it("with a token of the same secret is a user at first sight", async () => {
    const sub = "01900000-0000-7000-8000-00000000f00d";
    const client = createClient(() => app.url, { authorization: `Bearer ${signed({ ...good(), sub })}` });
    const { status, body } = await client.get<{ id: string; role: string }>("/api/auth/me");
    assert.deepEqual([status, body.id, body.role], [200, sub, "user"]);
  });

  it("from another host name or origin gets nothing", async () => {
    const foreign = await app.client.post<ProblemBody>("/chats", {}, { origin: "https://evil.example" });
    assert.deepEqual([foreign.status, foreign.body.code], [403, "origin_not_allowed"]);
    const socket = `${app.url}/api/generate/${batch}?token=${await app.token(ADA)}`;
    assert.equal(await upgradeStatus(socket, { host: "darkroom.evil.example" }), 403);
    assert.equal(await upgradeStatus(socket, { origin: "https://evil.example" }), 403);
    assert.equal(await upgradeStatus(socket, { origin: "http://localhost:3000" }), 101);
    const open = await openSocket(socket);
    open.close();
  });
});
