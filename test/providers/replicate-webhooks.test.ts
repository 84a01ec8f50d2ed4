import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import type { WebhookDelivery } from "../../src/ports.ts";
import { createInbox, type Received } from "../emulators/kit-inbox.ts";
import { signStandard } from "../emulators/kit-webhooks.ts";
import { WEBHOOK_SECRET } from "../emulators/replicate.ts";
import { generation, never, setup } from "./replicate-bundle.ts";

/** Where webhooks arrive, closed with its scope. */
const receive = async () => {
  const inbox = await createInbox();
  return { ...inbox, [Symbol.asyncDispose]: () => inbox.close() };
};

const deliveryOf = ({ headers, body }: Received): WebhookDelivery => ({ headers, body, receivedAt: Date.now() });
const predictionOf = ({ body }: Received) => JSON.parse(body.toString()) as { id: string; status: string };

const vector: WebhookDelivery = {
  headers: new Headers({
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  }),
  body: Buffer.from('{"test": 2432232314}'),
  receivedAt: 1614265330_000,
};

describe("webhooks of Replicate", () => {
  it("come once, for the end, signed, with the bare prediction as body", async () => {
    await using hooks = await receive();
    await using bundle = await setup();
    const { emulator, provider } = bundle;
    const asked = generation();
    const ref = await bundle.accepted({ ...asked, webhook: `${hooks.url}/hooks/replicate/${asked.attempt}` });
    emulator.start(ref);
    emulator.log(ref, "working\n");
    emulator.finish(ref);
    await emulator.webhooks.settle();
    const [received] = hooks.received;
    assert.ok(received);
    assert.equal(hooks.received.length, 1);
    const { id, status } = predictionOf(received);
    assert.deepEqual([received.path, id, status], [`/hooks/replicate/${asked.attempt}`, ref, "succeeded"]);
    assert.deepEqual(await provider.verify?.(deliveryOf(received)), {
      ok: true,
      id: received.headers.get("webhook-id"),
      signed: true,
    });
  });

  it("come by themselves when the emulator runs by the clock", async () => {
    await using hooks = await receive();
    await using bundle = await setup({ emulator: { queueMs: 10, runMs: 10, timers: true } });
    const next = hooks.next();
    const ref = await bundle.accepted({ webhook: `${hooks.url}/hooks` });
    const { id, status } = predictionOf(await next);
    assert.deepEqual([id, status], [ref, "succeeded"]);
  });

  it("may arrive before the submit has answered", async () => {
    await using hooks = await receive();
    await using bundle = await setup();
    const { emulator } = bundle;
    emulator.onSubmit("before_answer", async () => {
      emulator.finish(emulator.ledger.at(-1)?.id ?? "");
      await emulator.webhooks.settle();
      assert.equal(hooks.received.length, 1);
    });
    const ref = await bundle.accepted({ webhook: `${hooks.url}/hooks` });
    assert.deepEqual(
      hooks.received.map((one) => predictionOf(one).id),
      [ref],
    );
    assert.equal((await bundle.check(ref)).kind, "completed");
  });

  it("are judged by the raw bytes: good, again, tampered with, stale, not signed, signed twice", async () => {
    await using bundle = await setup();
    const verify = (delivery: WebhookDelivery) => bundle.provider.verify?.(delivery);
    const good = { ok: true, id: "msg_p5jXN8AQM9LWM0D4loKWxJek", signed: true };
    assert.deepEqual(await verify(vector), good);
    assert.deepEqual(await verify(vector), good, "the same id for a redelivery: the replay table's business");
    const bad = { ok: false, reason: "bad_signature" };
    assert.deepEqual(await verify({ ...vector, body: Buffer.from('{"test":2432232314}') }), bad);
    assert.deepEqual(await verify({ ...vector, receivedAt: vector.receivedAt + 301_000 }), {
      ok: false,
      reason: "stale",
    });
    assert.deepEqual(await verify({ ...vector, headers: new Headers() }), { ok: false, reason: "malformed" });
    const signed = signStandard("whsec_b2xkIHNlY3JldA==", WEBHOOK_SECRET)({ id: "msg_1", body: "{}", at: 1000 });
    const twice = { headers: new Headers(signed), body: Buffer.from("{}"), receivedAt: 1000 };
    assert.deepEqual(await verify(twice), { ok: true, id: "msg_1", signed: true });
    const foreign = new Headers(signStandard("whsec_b2xkIHNlY3JldA==")({ id: "msg_1", body: "{}", at: 1000 }));
    assert.deepEqual(await verify({ ...twice, headers: foreign }), bad);
  });

  for (const status of [401, 500]) {
    it(`are sent again under the same id when they are answered with ${status}, those for the end only`, async () => {
      await using hooks = await receive();
      await using bundle = await setup({ emulator: { webhookRetries: [0, 0, 0] } });
      const { emulator, provider } = bundle;
      hooks.answerWith(status);
      const ref = await bundle.accepted({ webhook: `${hooks.url}/hooks` });
      emulator.finish(ref, { kind: "failed", message: "E1001: out of memory" });
      await emulator.webhooks.settle();
      assert.equal(hooks.received.length, 4);
      assert.equal(new Set(hooks.received.map(({ headers }) => headers.get("webhook-id"))).size, 1);
      for (const one of hooks.received) assert.equal((await provider.verify?.(deliveryOf(one)))?.ok, true);
    });
  }

  it("without a filter come for outputs and the end, intermediate ones at most every half a second", async () => {
    await using hooks = await receive();
    await using bundle = await setup();
    const { emulator } = bundle;
    const submit = (events?: string[]) =>
      fetch(`${emulator.base}/models/black-forest-labs/flux-schnell/predictions`, {
        method: "POST",
        headers: { authorization: "Bearer r8_an_emulated_token", "content-type": "application/json" },
        body: JSON.stringify({ input: { prompt: "x" }, webhook: `${hooks.url}/h`, webhook_events_filter: events }),
      }).then(async (response) => ((await response.json()) as { id: string }).id);
    const statuses = (from: number) => hooks.received.slice(from).map((one) => predictionOf(one).status);
    emulator.finish(await submit());
    await emulator.webhooks.settle();
    assert.deepEqual(statuses(0).toSorted(), ["processing", "succeeded"]);
    const chatty = await submit(["start", "logs"]);
    emulator.start(chatty);
    for (let line = 0; line < 5; line++) emulator.log(chatty, `${line}\n`);
    await emulator.webhooks.settle();
    bundle.clock.ahead = 600;
    emulator.log(chatty, "later\n");
    emulator.finish(chatty);
    await emulator.webhooks.settle();
    assert.deepEqual(statuses(2), ["processing", "processing", "processing"]);
  });

  it("are checked with the secret that the API tells, asked for once, and again when it was changed", async () => {
    await using bundle = await setup({ adapter: { webhookSecret: undefined } });
    const { emulator, provider, clock } = bundle;
    const verify = (delivery: WebhookDelivery) => provider.verify?.(delivery);
    const at = (secret: string) => {
      const headers = new Headers(signStandard(secret)({ id: "msg_1", body: "{}", at: 1000 }));
      return { headers, body: Buffer.from("{}"), receivedAt: 1000 };
    };
    const good = { ok: true, id: "msg_1", signed: true };
    const bad = { ok: false, reason: "bad_signature" };
    emulator.faults.add({ on: "secret", how: "html" });
    assert.deepEqual(await verify(at(WEBHOOK_SECRET)), { ...good, signed: false });
    assert.deepEqual(await verify(at(WEBHOOK_SECRET)), { ...good, signed: false }, "not asked again at once");
    clock.ahead = 61_000;
    const verdicts = await Promise.all([1, 2, 3].map(() => verify(at(WEBHOOK_SECRET))));
    assert.deepEqual(verdicts, [good, good, good]);
    assert.equal(bundle.asked("secret").length, 2);
    const next = "whsec_bmV4dCBzZWNyZXQ=";
    emulator.faults.add({ on: "secret", how: { status: 200, json: { key: next } } });
    assert.deepEqual(await verify(at(next)), bad, "not asked again within a minute");
    clock.ahead = 122_000;
    assert.deepEqual(await verify(at(next)), good);
    assert.equal(bundle.asked("secret").length, 3);
  });

  it("fall back to being unsigned, never to being trusted, when the secret is no secret", async () => {
    await using bundle = await setup({ adapter: { webhookSecret: undefined } });
    bundle.emulator.faults.add({ on: "secret", how: { status: 200, json: { key: "whsec_" } } });
    assert.deepEqual(await bundle.provider.verify?.(vector), {
      ok: true,
      id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
      signed: false,
    });
    await assert.rejects(setup({ adapter: { webhookSecret: "whsec_" } }));
    assert.equal((await bundle.provider.submit(generation(), never)).kind, "accepted");
  });
});
