import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createAttachmentMachine } from "../../machines/attachment.ts";
import { attachmentView } from "../../machines/attachment.view.ts";
import { defaultPolicy, LATE_UPLOAD_MS, SWEEP_TRIES, VERIFY_TRIES } from "../../machines/policy.ts";
import { drive } from "./drive.ts";

const TTL = 60_000;
const VERIFY_WATCHDOG = 5000 + 60_000 + 2000;
const OBJECT = {
  key: "kept/1",
  sha256: "00",
  mime: "image/png",
  size_bytes: 3,
  width: 1,
  height: 1,
  thumbnails: [],
};

const anAttachment = (uploadId: string | null = null) =>
  drive(createAttachmentMachine({ ...defaultPolicy, uploadTtlMs: TTL }), {
    uploadKey: "uploads/1",
    uploadId,
    mime: "image/png",
    size: 3,
  });
const uploaded = () => {
  const attachment = anAttachment();
  attachment.send("uploaded");
  return attachment;
};
const ready = () => {
  const attachment = uploaded();
  attachment.send("verified", { object: OBJECT });
  return attachment;
};
const discarded = { type: "discard", params: { uploadKey: "uploads/1", uploadId: null } };
const shown = (attachment: ReturnType<typeof anAttachment>) => attachmentView(attachment.snapshot()).state;

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

  it("waits on when it was not there yet", () => {
    const attachment = uploaded();
    attachment.send("missing");
    assert.equal(attachment.state(), "issued");
    attachment.send("uploaded");
    assert.equal(attachment.state(), "uploaded");
    assert.equal(attachment.effects().length, 2);
  });

  it("is looked at again by itself when storage was away, or nobody answered", () => {
    for (const answer of ["unverified", null]) {
      const attachment = uploaded();
      if (answer !== null) attachment.send(answer);
      else attachment.pass(VERIFY_WATCHDOG);
      assert.deepEqual([attachment.state(), shown(attachment)], ["pausing", "uploaded"]);
      assert.equal(attachment.wakesIn(), 1000);
      attachment.pass(1000);
      assert.equal(attachment.state(), "uploaded");
      assert.equal(attachment.effects().length, 2);
      attachment.send("unverified");
      assert.equal(attachment.wakesIn(), 3000, "a longer pause each time");
      attachment.send("verified", { object: OBJECT });
      assert.equal(attachment.state(), "pausing", "an answer that was given up");
      attachment.send("uploaded");
      assert.equal(attachment.state(), "uploaded", "whoever tells again is not kept waiting");
    }
  });

  it("is not looked at without end: then it waits to be told again", () => {
    const attachment = uploaded();
    for (let tries = 0; tries < VERIFY_TRIES; tries++) {
      attachment.pass(VERIFY_WATCHDOG);
      assert.equal(attachment.state(), "pausing");
      attachment.pass(attachment.wakesIn() ?? 0);
    }
    attachment.sleep(VERIFY_WATCHDOG);
    attachment.send("wake");
    assert.equal(attachment.state(), "expired", "it was issued, and its time was long over");
    const other = uploaded();
    for (let tries = 0; tries < VERIFY_TRIES; tries++) other.sendAll([{ type: "unverified" }, { type: "uploaded" }]);
    other.send("unverified");
    assert.equal(other.state(), "issued");
    other.sendAll([{ type: "uploaded" }, { type: "unverified" }]);
    assert.equal(other.state(), "pausing", "with all its tries again");
  });

  it("keeps the instant of its expiry through verifications that find nothing", () => {
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

  it("changes no more once its fate is known", () => {
    const attachment = ready();
    for (const type of ["uploaded", "missing", "refused", "verified", "unverified", "discarded", "wake"])
      assert.equal(attachment.send(type, { object: OBJECT }).changed, false, type);
  });
});

describe("an upload URL that outlives the upload", () => {
  const fates = {
    ready,
    rejected: () => {
      const attachment = uploaded();
      attachment.send("refused", { code: "empty", message: "Empty" });
      return attachment;
    },
    expired: () => {
      const attachment = anAttachment();
      attachment.pass(TTL);
      return attachment;
    },
  };

  for (const [fate, make] of Object.entries(fates)) {
    it(`leaves nothing behind: what came late is discarded too, and it is still ${fate}`, () => {
      const attachment = make();
      const before = attachment.effects().length;
      attachment.pass((attachment.wakesIn() ?? 0) - 1);
      assert.equal(attachment.effects().length, before, "the URL is still good");
      attachment.pass(1);
      assert.equal(attachment.now() - 1_000_000, TTL + LATE_UPLOAD_MS);
      assert.deepEqual([attachment.state(), attachment.last().effects], ["sweeping", [discarded]]);
      assert.equal(shown(attachment), fate);
      attachment.send("discarded");
      assert.deepEqual([attachment.state(), attachment.last().done], ["closed", true]);
      assert.equal(shown(attachment), fate);
      assert.equal(attachment.facts().length, 2, "nobody hears of that");
      assert.equal(attachment.send("uploaded").changed, false);
    });
  }

  it("is discarded again and again while storage is away, but not for ever", () => {
    const attachment = ready();
    attachment.pass(TTL + LATE_UPLOAD_MS);
    const waits: number[] = [];
    while (attachment.state() === "sweeping") {
      waits.push(attachment.wakesIn() ?? 0);
      attachment.pass(attachment.wakesIn() ?? 0);
    }
    assert.equal(attachment.state(), "closed");
    assert.equal(attachment.effects().filter(({ type }) => type === "discard").length, 1 + SWEEP_TRIES);
    assert.ok(waits.every((wait, n) => n === 0 || wait >= (waits[n - 1] ?? 0)));
    assert.ok(waits.reduce((sum, wait) => sum + wait, 0) > 24 * 3_600_000, "an outage of a day is survived");
  });

  it("of an upload in parts is given up with its parts", () => {
    const attachment = anAttachment("parts-1");
    attachment.pass(TTL);
    assert.deepEqual(attachment.last().effects, [
      { type: "discard", params: { uploadKey: "uploads/1", uploadId: "parts-1" } },
    ]);
  });
});
