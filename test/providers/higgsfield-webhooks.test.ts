import assert from "node:assert/strict";
import { after, afterEach, describe, it } from "node:test";
import type { Provider, WebhookDelivery } from "../../src/ports.ts";
import type { HiggsfieldDeps } from "../../src/providers/higgsfield/adapter.ts";
import type { HiggsfieldOptions } from "../emulators/higgsfield.ts";
import { createInbox, type Received } from "../emulators/kit-inbox.ts";
import { signStandard } from "../emulators/kit-webhooks.ts";
import { generation, setup as open, submit } from "./higgsfield-harness.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OLD_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

const closers: (() => Promise<void>)[] = [];
const closeAll = async () => {
  for (const close of closers.splice(0)) await close();
};
afterEach(closeAll);
after(closeAll);

/** Higgsfield, our door for its webhooks, and one accepted generation that asked for them. */
const setup = async (options: HiggsfieldOptions = {}, deps: Partial<HiggsfieldDeps> = {}) => {
  const { emulator, provider, v1, clock } = await open(
    { webhookSecrets: [SECRET], ...options },
    { webhookSecrets: [SECRET], ...deps },
  );
  const inbox = await createInbox();
  closers.push(emulator.close, inbox.close);
  const webhook = `${inbox.url}/hooks/higgsfield/token`;
  const judge = ({ headers, body }: Received, by: Provider = provider) =>
    by.verify?.({ headers, body, receivedAt: clock.now } satisfies WebhookDelivery);
  const last = () => inbox.received.at(-1) as Received;
  return {
    emulator,
    provider,
    v1,
    clock,
    inbox,
    webhook,
    judge,
    last,
    ref: await submit(provider, generation({ webhook })),
  };
};

describe("a webhook of Higgsfield", () => {
  for (const kind of ["completed", "failed", "moderated"] as const) {
    it(`tells the end of a ${kind} request, signed over its raw bytes`, async () => {
      const { emulator, inbox, judge, ref } = await setup();
      const next = inbox.next();
      emulator.finish(ref, { kind });
      const received = await next;
      const verdict = await judge(received);
      assert.deepEqual(verdict?.ok && verdict.signed, true);
      const body = JSON.parse(received.body.toString());
      assert.equal(body.request_id, ref);
      assert.equal("status_url" in body, kind === "completed");
    });
  }

  it("does not come for a cancel", async () => {
    const { emulator, provider, inbox, ref } = await setup();
    await provider.cancel(ref, new AbortController().signal);
    assert.equal(emulator.webhooks.deliveries.length, 0);
    assert.equal(inbox.received.length, 0);
  });

  it("can come before the submit has returned", async () => {
    const { emulator, provider, judge, webhook, last } = await setup();
    emulator.onSubmit("before_answer", async () => {
      await emulator.deliver(emulator.ledger.at(-1)?.id ?? "");
    });
    const ref = await submit(provider, generation({ webhook }));
    assert.equal((await judge(last()))?.ok, true);
    assert.equal(JSON.parse(last().body.toString()).request_id, ref);
  });

  it("keeps its id when it is delivered again", async () => {
    const { emulator, judge, last, ref } = await setup();
    const first = await emulator.deliver(ref);
    const before = await judge(last());
    await emulator.webhooks.redeliver(first);
    const again = await judge(last());
    assert.deepEqual(again, before);
    assert.deepEqual(before, { ok: true, id: first.id, signed: true });
  });

  it("may come out of order, and each is judged by itself", async () => {
    const { emulator, judge, inbox, ref } = await setup();
    const early = await emulator.deliver(ref);
    emulator.finish(ref);
    await emulator.deliver(ref);
    await emulator.webhooks.redeliver(early);
    for (const received of inbox.received) assert.equal((await judge(received))?.ok, true);
  });

  it("is refused when it is stale, badly signed, changed, or not signed at all", async () => {
    const { emulator, judge, last, ref } = await setup();
    await emulator.deliver(ref, { stale: 301 });
    assert.deepEqual(await judge(last()), { ok: false, reason: "stale" });
    await emulator.deliver(ref, { signer: signStandard("whsec_bmV2ZXI=") });
    assert.deepEqual(await judge(last()), { ok: false, reason: "bad_signature" });
    await emulator.deliver(ref);
    const { headers, body } = last();
    const changed = { path: "", headers, body: Buffer.from(body.toString().replace("queued", "completed")) };
    assert.deepEqual(await judge(changed), { ok: false, reason: "bad_signature" });
    await emulator.deliver(ref, { signer: () => ({}) });
    assert.deepEqual(await judge(last()), { ok: false, reason: "malformed" });
  });

  it("is good with either secret while they are rotated", async () => {
    const { emulator, judge, last, ref } = await setup({ webhookSecrets: [OLD_SECRET, SECRET] });
    await emulator.deliver(ref);
    assert.equal(last().headers.get("webhook-signature")?.split(" ").length, 2);
    assert.equal((await judge(last()))?.ok, true);
  });

  it("passes as unsigned, with its bytes as its id, as long as the account has revealed no secret", async () => {
    const { emulator, judge, last, ref } = await setup({ webhookSecrets: [] }, { webhookSecrets: [] });
    const first = await emulator.deliver(ref);
    const verdict = await judge(last());
    assert.ok(verdict?.ok && !verdict.signed && /^[0-9a-f]{64}$/.test(verdict.id));
    await emulator.webhooks.redeliver(first);
    assert.deepEqual(await judge(last()), verdict);
    assert.deepEqual(await judge({ ...last(), body: Buffer.from("<html>") }), { ok: false, reason: "malformed" });
  });

  it("is sent again after a 5xx or silence, and given up after a 4xx", async () => {
    const { emulator, inbox, ref } = await setup();
    inbox.answerWith(401);
    await emulator.deliver(ref);
    assert.equal((await emulator.retryWebhooks()).length, 0);
    inbox.answerWith(503);
    const failed = await emulator.deliver(ref);
    inbox.answerWith(204);
    const [again] = await emulator.retryWebhooks();
    assert.deepEqual([again?.id, again?.status], [failed.id, 204]);
    await inbox.close();
    assert.equal((await emulator.deliver(ref)).status, null);
    assert.equal((await emulator.retryWebhooks()).length, 1);
  });
});

describe("a webhook of Higgsfield's older API", () => {
  const set = async () => {
    const bundle = await setup();
    const { v1, emulator, webhook } = bundle;
    const ref = await submit(v1, generation({ model: "v1/text2image/soul", params: { batch_size: 4 }, webhook }));
    return { ...bundle, set: ref, jobs: emulator.jobsOf(ref) };
  };

  it("comes once all four are done, with the secret that was sent along, which is not ours", async () => {
    const { v1, emulator, inbox, judge, jobs } = await set();
    const next = inbox.next();
    for (const job of jobs) emulator.finish(job);
    const received = await next;
    assert.equal(inbox.received.length, 1);
    const verdict = await judge(received, v1);
    assert.ok(verdict?.ok && verdict.signed);
    assert.equal(emulator.requests.filter(({ body }) => body.includes("hf-secret")).length, 0);
  });

  it("passes as unsigned without the secret, and not at all with another", async () => {
    const { v1, emulator, judge, last, set: ref } = await set();
    await emulator.deliver(ref, { signer: () => ({}) });
    const verdict = await judge(last(), v1);
    assert.deepEqual(verdict?.ok && verdict.signed, false);
    await emulator.deliver(ref, { signer: () => ({ "x-webhook-secret-key": "guess" }) });
    assert.deepEqual(await judge(last(), v1), { ok: false, reason: "bad_signature" });
  });
});
