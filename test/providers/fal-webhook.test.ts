import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { createLog } from "../../src/log.ts";
import type { WebhookDelivery, WebhookVerdict } from "../../src/ports.ts";
import { createFalProvider } from "../../src/providers/fal/adapter.ts";
import { createFalEmulator } from "../emulators/fal.ts";
import { publicJwk, signFal, VECTOR_SEED } from "../emulators/fal-keys.ts";
import type { Delivery } from "../emulators/kit-webhooks.ts";
import { type FalSetup, generation, idOf, setupFal } from "./fal-setup.ts";

const VECTOR = {
  id: "123e4567-e89b-12d3-a456-426614174000",
  user: "user-1",
  timestamp: 1_700_000_000,
  body: '{"request_id":"123e4567-e89b-12d3-a456-426614174000","status":"OK","payload":{}}',
  signature:
    "a469bfd5a6d1ec8c8fa449a6d86fbadace04a5acbc9f8bd982e4367cf7a68142defd411d6c9dcb44ebba62bf5b175d5a6d95f0949bbd43953aa7d6966db09b0e",
};
const AT = VECTOR.timestamp * 1000;

const vector = (more: Partial<typeof VECTOR> & { receivedAt?: number } = {}): WebhookDelivery => {
  const { id, user, timestamp, body, signature } = { ...VECTOR, ...more };
  const headers = new Headers({
    "X-Fal-Webhook-Request-Id": id,
    "X-Fal-Webhook-User-Id": user,
    "X-Fal-Webhook-Timestamp": String(timestamp),
    "X-Fal-Webhook-Signature": signature,
  });
  return { headers, body: Buffer.from(body), receivedAt: more.receivedAt ?? AT };
};

/** A delivery signed by the emulator's first key, with any body. */
const signed = (body: string, id = VECTOR.id, seed: Uint8Array = VECTOR_SEED): WebhookDelivery => ({
  headers: new Headers(signFal(seed, "user-1")({ id, body, at: AT })),
  body: Buffer.from(body),
  receivedAt: AT,
});

const asDelivery = ({ headers, body }: Delivery, receivedAt: number): WebhookDelivery => ({
  headers: new Headers(headers),
  body: Buffer.from(body),
  receivedAt,
});

/** Acknowledges whatever is posted to it. */
const openReceiver = async (onBody: (body: string) => void = () => {}) => {
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    outgoing.writeHead(200).end();
    onBody(Buffer.concat(chunks).toString("utf8"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks/fal/token`;
  const close = () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  return { url, close };
};

const fetches = ({ emulator }: FalSetup) => emulator.requests.filter(({ on }) => on === "jwks").length;
const verify = ({ provider }: FalSetup, delivery: WebhookDelivery): Promise<WebhookVerdict> => {
  assert.ok(provider.verify);
  return provider.verify(delivery);
};
const refused = (reason: string) => ({ ok: false, reason });
const fine = { ok: true, id: VECTOR.id, signed: true };

describe("the verification of fal's webhooks", () => {
  let setup: FalSetup;
  before(async () => {
    setup = await setupFal();
  });
  after(() => setup.close());

  it("accepts the published vector, with the key that the JWKS lists", async () => {
    assert.equal(publicJwk(VECTOR_SEED).x, "6kpsY-KcUgq-9VB7Ey7F-ZVHdq6-vnuSQh7qaRRG0iw");
    assert.equal(signFal(VECTOR_SEED, VECTOR.user)({ ...VECTOR, at: AT })["x-fal-webhook-signature"], VECTOR.signature);
    assert.deepEqual(await verify(setup, vector()), fine);
  });

  it("judges the bytes as they came, and everything that is signed", async () => {
    for (const more of [
      { body: VECTOR.body.replace(":{}", ": {}") },
      { user: "user-2" },
      { id: "another" },
      { timestamp: VECTOR.timestamp + 1 },
      { signature: `00${VECTOR.signature.slice(2)}` },
    ]) {
      assert.deepEqual(await verify(setup, vector(more)), refused("bad_signature"), JSON.stringify(more));
    }
  });

  it("accepts five minutes of clock difference either way, and no second more", async () => {
    for (const receivedAt of [AT - 300_000, AT + 300_000]) {
      assert.deepEqual(await verify(setup, vector({ receivedAt })), fine);
    }
    for (const receivedAt of [AT - 301_000, AT + 301_000]) {
      assert.deepEqual(await verify(setup, vector({ receivedAt })), refused("stale"));
    }
  });

  it("calls malformed what lacks a header or is not hex", async () => {
    for (const name of ["Request-Id", "User-Id", "Timestamp", "Signature"]) {
      const delivery = vector();
      delivery.headers.delete(`X-Fal-Webhook-${name}`);
      assert.deepEqual(await verify(setup, delivery), refused("malformed"), name);
    }
    for (const signature of ["", "zz", VECTOR.signature.slice(2), `${VECTOR.signature}00`]) {
      assert.deepEqual(await verify(setup, vector({ signature })), refused("malformed"));
    }
    const delivery = vector();
    delivery.headers.set("X-Fal-Webhook-Timestamp", "soon");
    assert.deepEqual(await verify(setup, delivery), refused("malformed"));
  });

  it("wants the signed body to be about the signed request", async () => {
    for (const body of ["not json", "null", "[]", '{"request_id":"another"}']) {
      assert.deepEqual(await verify(setup, signed(body)), refused("malformed"), body);
    }
    const retried = JSON.stringify({ request_id: "outer", gateway_request_id: VECTOR.id });
    assert.deepEqual(await verify(setup, signed(retried)), { ok: true, id: "outer", signed: true });
  });

  it("refuses deliveries for other users when it knows its own", async () => {
    const mine = await setupFal({}, { userId: "user-1" });
    const theirs = await setupFal({}, { userId: "user-2" });
    assert.deepEqual(await verify(mine, vector()), fine);
    assert.deepEqual(await verify(theirs, vector()), refused("bad_signature"));
    await Promise.all([mine.close(), theirs.close()]);
  });
});

describe("fal's webhook keys", () => {
  it("are fetched once, without our key, for all who need them at the same time", async () => {
    const setup = await setupFal();
    const verdicts = await Promise.all(Array.from({ length: 5 }, () => verify(setup, vector())));
    assert.ok(verdicts.every(({ ok }) => ok));
    assert.equal(fetches(setup), 1);
    assert.equal(setup.emulator.requests[0]?.headers.get("authorization"), null);
    await setup.close();
  });

  it("are kept for less than a day", async () => {
    const setup = await setupFal();
    await verify(setup, vector());
    setup.clock.now += 11 * 3600_000;
    await verify(setup, vector());
    assert.equal(fetches(setup), 1);
    setup.clock.now += 2 * 3600_000;
    await verify(setup, vector());
    assert.equal(fetches(setup), 2);
    await setup.close();
  });

  it("are fetched anew when none fits, at most once a minute", async () => {
    const setup = await setupFal();
    const hook = await openReceiver();
    assert.deepEqual(await verify(setup, vector()), fine);
    setup.emulator.rotateKeys();
    const ref = await setup.accepted({ webhook: hook.url });
    setup.emulator.finish(idOf(ref));
    const delivery = asDelivery(await setup.emulator.deliver(idOf(ref)), setup.clock.now);
    assert.deepEqual(await verify(setup, delivery), refused("bad_signature"));
    assert.equal(fetches(setup), 1, "just fetched");
    setup.clock.now += 61_000;
    assert.deepEqual(await verify(setup, delivery), { ok: true, id: idOf(ref), signed: true });
    assert.deepEqual(await verify(setup, vector()), refused("bad_signature"), "the old key is retired");
    await verify(setup, vector());
    assert.equal(fetches(setup), 2);
    await setup.close();
    await hook.close();
  });

  it("may be several", async () => {
    const setup = await setupFal();
    setup.emulator.rotateKeys({ keep: true });
    assert.deepEqual(await verify(setup, vector()), fine);
    await setup.close();
  });

  it("that cannot be fetched let nothing pass, and are asked for again", async () => {
    const setup = await setupFal();
    for (const how of ["html", "empty", "reset_before_read"] as const) {
      const remove = setup.emulator.faults.add({ on: "jwks", how, times: Number.POSITIVE_INFINITY });
      assert.deepEqual(await verify(setup, vector()), refused("bad_signature"));
      remove();
    }
    setup.emulator.faults.add({
      on: "jwks",
      how: { json: { keys: [null, { kty: "RSA" }, { kty: "OKP", crv: "Ed25519", x: "!" }] } },
    });
    assert.deepEqual(await verify(setup, vector()), refused("bad_signature"));
    assert.deepEqual(await verify(setup, vector()), fine);
    await setup.close();
  });
});

describe("the webhooks that fal sends", () => {
  let setup: FalSetup;
  let hook: Awaited<ReturnType<typeof openReceiver>>;
  before(async () => {
    [setup, hook] = await Promise.all([setupFal(), openReceiver()]);
  });
  after(() => Promise.all([setup.close(), hook.close()]));

  const delivered = async (ending: Parameters<FalSetup["emulator"]["finish"]>[1] = { kind: "completed" }) => {
    const ref = await setup.accepted({ webhook: hook.url });
    setup.emulator.finish(idOf(ref), ending);
    return { ref, delivery: await setup.emulator.deliver(idOf(ref)) };
  };
  const judge = (delivery: Delivery) => verify(setup, asDelivery(delivery, setup.clock.now));

  it("are signed, name the request and are acknowledged", async () => {
    const { ref, delivery } = await delivered();
    assert.equal(delivery.status, 200);
    assert.deepEqual(await judge(delivery), { ok: true, id: idOf(ref), signed: true });
    assert.equal(JSON.parse(delivery.body).status, "OK");
  });

  it("come again under the same id", async () => {
    const { delivery } = await delivered({ kind: "failed" });
    setup.clock.now += 60_000;
    const again = await setup.emulator.webhooks.redeliver(delivery);
    assert.equal(again.body, delivery.body);
    const [first, second] = [await judge(delivery), await judge(again)];
    assert.ok(first.ok && second.ok && first.id === second.id);
    assert.equal(JSON.parse(again.body).status, "ERROR");
  });

  it("are only a nudge: what they carry is not what the check says", async () => {
    const { ref, delivery } = await delivered({ kind: "moderated" });
    assert.ok((await judge(delivery)).ok);
    assert.deepEqual(await setup.check(ref), { kind: "moderated" });
  });

  it("that are old or signed with a foreign key are refused", async () => {
    const { ref } = await delivered();
    const stale = await setup.emulator.deliver(idOf(ref), undefined, 301);
    assert.deepEqual(await judge(stale), refused("stale"));
    const foreign = await setup.emulator.deliver(idOf(ref), signFal(Buffer.alloc(32, 8), "user-1"));
    assert.deepEqual(await judge(foreign), refused("bad_signature"));
  });

  it("come by themselves when an emulator runs by the clock", async () => {
    const bodies: string[] = [];
    let arrived = () => {};
    const arrival = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const receiver = await openReceiver((body) => {
      bodies.push(body);
      arrived();
    });
    const live = await createFalEmulator({ queueMs: 10, runMs: 10, timers: true });
    const provider = createFalProvider({ baseUrl: live.url, key: "a:b", now: Date.now, log: createLog("silent") });
    const asked = generation({ webhook: receiver.url, deadline: Date.now() + 60_000 });
    const outcome = await provider.submit(asked, new AbortController().signal);
    assert.ok(outcome.kind === "accepted");
    await arrival;
    assert.equal(JSON.parse(bodies[0] ?? "").request_id, idOf(outcome.ref));
    assert.equal((await provider.check(outcome.ref, new AbortController().signal)).kind, "completed");
    await live.close();
    await receiver.close();
  });

  it("may come before the submit has returned, and even when its answer is lost: they name the request", async () => {
    const early: Delivery[] = [];
    const remove = setup.emulator.onSubmit("before_answer", async () => {
      const id = setup.emulator.ledger.at(-1)?.id ?? "";
      setup.emulator.finish(id);
      early.push(await setup.emulator.deliver(id));
    });
    setup.emulator.faults.add({ on: "submit", how: "reset_after_accept" });
    const lost = await setup.provider.submit(generation({ webhook: hook.url }), new AbortController().signal);
    remove();
    assert.equal(lost.kind, "ambiguous");
    const [delivery] = early;
    assert.ok(delivery);
    const verdict = await judge(delivery);
    assert.ok(verdict.ok && verdict.id === setup.emulator.ledger.at(-1)?.id);
  });
});
