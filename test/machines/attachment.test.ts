import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createAttachmentMachine } from "../../machines/attachment.ts";
import { defaultPolicy } from "../../machines/policy.ts";
import { drive } from "./drive.ts";

const TTL = 60_000;
const VERIFY_WATCHDOG = 5000 + 30_000 + 2000;
const OBJECT = { key: "kept/1", sha256: "00", mime: "image/png", size_bytes: 3 };

const anAttachment = () =>
  drive(createAttachmentMachine({ ...defaultPolicy, uploadTtlMs: TTL }), {
    uploadKey: "uploads/1",
    mime: "image/png",
    size: 3,
  });
const uploaded = () => {
  const attachment = anAttachment();
  attachment.send("uploaded");
  return attachment;
};
const discarded = { type: "discard", params: { uploadKey: "uploads/1" } };

describe("an attachment", () => {
  it("is verified when it is said to be there, and is ready when its bytes are what they claim", () => {
    const attachment = uploaded();
    assert.equal(attachment.state(), "uploaded");
    assert.deepEqual(attachment.last().effects, [
      { type: "verify", params: { uploadKey: "uploads/1", mime: "image/png", size: 3 } },
    ]);
    attachment.send("verified", { object: OBJECT });
    assert.equal(attachment.state(), "ready");
    assert.deepEqual(attachment.context().object, OBJECT);
    assert.deepEqual(attachment.last().effects, [discarded], "only the verified copy is used from now on");
    assert.deepEqual(attachment.facts(), ["attachment.issued", "attachment.ready"]);
    assert.equal(attachment.last().done, true);
  });

  it("is rejected, with the reason, when they are not", () => {
    const attachment = uploaded();
    attachment.send("refused", { code: "media_mismatch", message: "Not a PNG" });
    assert.equal(attachment.state(), "rejected");
    assert.deepEqual(attachment.context().error, { code: "media_mismatch", message: "Not a PNG" });
    assert.deepEqual(attachment.last().effects, [discarded]);
    assert.deepEqual(attachment.facts().slice(-1), ["attachment.rejected"]);
  });

  it("expires when nobody uploads in time", () => {
    const attachment = anAttachment();
    assert.equal(attachment.wakesIn(), TTL);
    attachment.pass(TTL);
    assert.equal(attachment.state(), "expired");
    assert.deepEqual(attachment.last().effects, [discarded]);
  });

  it("waits on when it was not there yet, or storage was away, or nobody answered", () => {
    for (const answer of ["missing", "unverified", null]) {
      const attachment = uploaded();
      if (answer !== null) attachment.send(answer);
      else attachment.pass(VERIFY_WATCHDOG);
      assert.equal(attachment.state(), "issued");
      attachment.send("uploaded");
      assert.equal(attachment.state(), "uploaded");
      assert.equal(attachment.effects().length, 2);
    }
  });

  it("keeps the instant of its expiry through failed verifications", () => {
    const attachment = anAttachment();
    attachment.sleep(TTL - 100);
    attachment.send("uploaded");
    assert.equal(attachment.wakesIn(), VERIFY_WATCHDOG, "it does not expire while it is looked at");
    attachment.send("missing");
    assert.equal(attachment.wakesIn(), 100);
    attachment.send("uploaded");
    attachment.sleep(1000);
    attachment.send("missing");
    assert.equal(attachment.wakesIn(), 0);
    attachment.pass(0);
    assert.equal(attachment.state(), "expired");
  });

  it("is verified once at a time", () => {
    const attachment = uploaded();
    assert.equal(attachment.send("uploaded").changed, false);
    assert.equal(attachment.effects().length, 1);
  });

  it("changes no more after its end", () => {
    const attachment = uploaded();
    attachment.send("verified", { object: OBJECT });
    for (const type of ["uploaded", "missing", "refused", "verified", "wake"])
      assert.equal(attachment.send(type, { object: OBJECT }).changed, false, type);
  });
});
