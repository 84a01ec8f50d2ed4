import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { Webhook } from "standardwebhooks";
import type { WebhookDelivery } from "../../src/ports.ts";
import { createStandardSecret, createStandardVerifier, signStandard as sign } from "../../src/net/standard-webhooks.ts";
import { signStandard } from "../emulators/kit-webhooks.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

type Message = { id: string; timestamp: number; body: string; signature: string };
const VECTORS: Message[] = [
  {
    id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
    timestamp: 1614265330,
    body: '{"test": 2432232314}',
    signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  },
  {
    id: "msg_hf_1",
    timestamp: 1700000000,
    body: '{"status":"nsfw","request_id":"9417a243-e457-4075-895b-b68f3cda5303"}',
    signature: "v1,ZmPYCYEJhwtoyZvAIkx6oM+ARTuPNYGl6ZcXKR2d8AY=",
  },
];
const [, vector] = VECTORS as [Message, Message];

const deliver = (
  { id, timestamp, body, signature }: Message,
  more: Partial<WebhookDelivery> = {},
): WebhookDelivery => ({
  headers: new Headers({
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": signature,
  }),
  body: Buffer.from(body),
  receivedAt: timestamp * 1000,
  ...more,
});
const verify = createStandardVerifier(SECRET);
const reason = (delivery: WebhookDelivery) => {
  const verdict = verify(delivery);
  return verdict.ok ? "ok" : verdict.reason;
};

describe("a Standard Webhook", () => {
  for (const known of VECTORS) {
    it(`is good when it is signed right: ${known.id}`, () => {
      assert.deepEqual(verify(deliver(known)), { ok: true, id: known.id, signed: true });
    });
  }

  it("is bad when body, id, timestamp or secret are others", () => {
    assert.equal(reason(deliver({ ...vector, body: `${vector.body} ` })), "bad_signature");
    assert.equal(reason(deliver({ ...vector, id: "msg_hf_2" })), "bad_signature");
    assert.equal(reason(deliver({ ...vector, timestamp: vector.timestamp + 1 })), "bad_signature");
    assert.deepEqual(createStandardVerifier(OTHER)(deliver(vector)), { ok: false, reason: "bad_signature" });
  });

  it("is judged by its raw bytes, not by what they mean", () => {
    const body = JSON.stringify(JSON.parse(vector.body), null, 1);
    assert.equal(reason(deliver({ ...vector, body })), "bad_signature");
  });

  it("is stale beyond five minutes, either way", () => {
    const at = (seconds: number) => deliver(vector, { receivedAt: (vector.timestamp + seconds) * 1000 });
    assert.deepEqual(
      [300, -300, 301, -301].map((s) => reason(at(s))),
      ["ok", "ok", "stale", "stale"],
    );
  });

  it("is good by any of its signatures and any of our secrets, while they are rotated", () => {
    const sign = signStandard(OTHER, SECRET);
    const headers = new Headers(sign({ id: vector.id, body: vector.body, at: vector.timestamp * 1000 }));
    assert.equal(headers.get("webhook-signature")?.split(" ").length, 2);
    for (const secrets of [[SECRET], [OTHER], ["whsec_bmV3", SECRET]]) {
      assert.equal(createStandardVerifier(...secrets)(deliver(vector, { headers })).ok, true, secrets.join());
    }
    assert.equal(createStandardVerifier("whsec_bmV3")(deliver(vector, { headers })).ok, false);
  });

  it("is bad with signatures of other kinds, or cut ones", () => {
    for (const signature of [
      "v1a,AAAA",
      "v1,",
      "v1",
      "",
      vector.signature.slice(0, -4),
      `v2,${vector.signature.slice(3)}`,
    ]) {
      assert.notEqual(reason(deliver({ ...vector, signature })), "ok", signature);
    }
  });

  it("is malformed without one of its headers or with a timestamp that is none", () => {
    for (const name of ["webhook-id", "webhook-timestamp", "webhook-signature"]) {
      const delivery = deliver(vector);
      delivery.headers.delete(name);
      assert.equal(reason(delivery), "malformed", name);
    }
    for (const timestamp of ["soon", "1e9", "-5", "17000000000000000"]) {
      const delivery = deliver(vector);
      delivery.headers.set("webhook-timestamp", timestamp);
      assert.equal(reason(delivery), "malformed", timestamp);
    }
  });

  it("agrees with the reference library, both ways", () => {
    const now = Date.now();
    const body = '{"a":"ä \\u0000 💡"}';
    const reference = new Webhook(SECRET);
    const signature = reference.sign("msg_1", new Date(now), body);
    const message = { id: "msg_1", timestamp: Math.floor(now / 1000), body, signature };
    assert.equal(reason(deliver(message)), "ok");
    const ours = signStandard(SECRET)({ id: "msg_1", body, at: now });
    assert.deepEqual(reference.verify(body, ours), { a: "ä \u0000 💡" });
  });

  it("is signed by us as the reference library wants it, with each of several secrets", () => {
    const secrets = [createStandardSecret(), createStandardSecret()];
    assert.notEqual(secrets[0], secrets[1]);
    const body = '{"a":"ä 💡"}';
    const headers = sign(secrets, { id: "msg_1", at: Date.now(), body });
    for (const secret of secrets) assert.deepEqual(new Webhook(secret).verify(body, headers), { a: "ä 💡" });
    assert.throws(() => new Webhook(createStandardSecret()).verify(body, headers));
    assert.throws(() => sign(["whsec_"], { id: "msg_1", at: 0, body }), /base64/);
  });

  it("cannot be judged with a secret that holds no key", () => {
    assert.throws(() => createStandardVerifier("whsec_"));
    assert.throws(() => createStandardVerifier(""));
  });
});
