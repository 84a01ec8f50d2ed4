import { attachmentMachine } from "../../machines/attachment.ts";
import { batchMachine } from "../../machines/batch.ts";
import { deliveryMachine } from "../../machines/delivery.ts";
import type { ActorKind } from "../../machines/registry.ts";
import type { MachineEvent, Snapshot } from "../../machines/step.ts";
import { aJob, OUTPUT, STORED } from "./a-job.ts";
import { type Driven, drive } from "./drive.ts";

/** A snapshot worth keeping, and what happens next: an event at an instant. */
export type Case = { snapshot: Snapshot; event: MachineEvent; at: number };

/** With that event a little later, or with its next timer. */
const take = (actor: Pick<Driven, "snapshot" | "now" | "wakesIn">, event?: MachineEvent): Case => ({
  snapshot: actor.snapshot(),
  event: event ?? { type: "wake" },
  at: actor.now() + (event ? 10 : (actor.wakesIn() ?? 0)),
});

const job = () => aJob({ batch: "batch-1" });
const attempt = "id@0";

const jobCases = (): Record<string, Case> => {
  const reconciling = job().submitting();
  reconciling.lose();
  const looking = job().submitting();
  looking.lose();
  looking.pass(1000);
  const running = job().polling();
  running.polled({ kind: "running", progress: 0.5 });
  const canceling = job().polling();
  canceling.send("cancel");
  const pausing = job().polling();
  pausing.send("cancel");
  pausing.canceled("unknown");
  const resting = job().submitting();
  resting.reject(true);
  const again = job().submitting();
  again.notSent();
  again.pass(1000);
  const paused = job().submitting();
  paused.send("rejected", { attempt, code: "out_of_credit", message: "No", retryable: false, afterMs: 0 });
  const alternatives = [{ account: "other", model: "another", timeoutMs: 60_000, webhook: false }];
  const moving = aJob({ alternatives }).submitting();
  moving.send("rejected", { attempt, code: "out_of_credit", message: "No", retryable: false, afterMs: 0 });
  const storing = job().ingesting();
  storing.ingestFailed(true);
  const succeeded = job().ingesting();
  succeeded.ingested();
  const failed = job().submitting();
  failed.reject(false);
  return {
    queued: take(job(), { type: "start" }),
    "queued for too long": take(job()),
    "queued again": take(again, { type: "start" }),
    "queued, its account paused": take(paused, { type: "start" }),
    submitting: take(job().submitting(), { type: "accepted", attempt, ref: "ref-1" }),
    "submitting without an answer": take(job().submitting()),
    settling: take(reconciling),
    looking: take(looking, { type: "unresolved", attempt }),
    waiting: take(job().waiting()),
    "waiting, nudged": take(running, { type: "nudge", attempt }),
    polling: take(job().polling(), { type: "polled", n: 1, outcome: { kind: "completed", outputs: [OUTPUT] } }),
    "polling without an answer": take(job().polling()),
    canceling: take(canceling, { type: "cancelAnswered", outcome: "canceled" }),
    "canceling, pausing": take(pausing),
    resting: take(resting),
    moving: take(moving),
    "queued, and may move": take(aJob({ alternatives }), { type: "stalled", code: "breaker_open", open: ["other"] }),
    storing: take(job().ingesting(), { type: "ingested", outputs: [STORED] }),
    "storing, pausing": take(storing),
    succeeded: take(succeeded, { type: "cancel" }),
    failed: take(failed, { type: "accepted", attempt, ref: "ref-late" }),
  };
};

const batchCases = (): Record<string, Case> => {
  const batch = () => drive(batchMachine, { count: 2 });
  const item = (index: number, status: string): MachineEvent => ({ type: "item", index, status, instant: 1_000_500 });
  const running = batch();
  running.sendAll([item(0, "RUNNING"), item(0, "SUCCEEDED"), { type: "cancel", jobs: ["a", "b"] }]);
  const partial = batch();
  partial.sendAll([item(0, "SUCCEEDED"), item(1, "FAILED")]);
  return {
    queued: take(batch(), item(0, "RUNNING")),
    running: take(running, item(1, "CANCELED")),
    partial: take(partial, item(1, "FAILED")),
  };
};

const attachmentCases = (): Record<string, Case> => {
  const attachment = (uploadId: string | null = null) =>
    drive(attachmentMachine, { uploadKey: "uploads/1", uploadId, mime: "image/png", size: 3 });
  const uploaded = attachment();
  uploaded.send("uploaded");
  const pausing = attachment("parts-1");
  pausing.sendAll([{ type: "uploaded" }, { type: "unverified" }]);
  const object = { key: "kept/1", sha256: "00", mime: "image/png", size_bytes: 3, width: 1, height: 1, thumbnails: [] };
  const ready = () => {
    const made = attachment();
    made.sendAll([{ type: "uploaded" }, { type: "verified", object }]);
    return made;
  };
  const rejected = attachment();
  rejected.sendAll([{ type: "uploaded" }, { type: "refused", code: "too_large", message: "Too large" }]);
  const expired = attachment("parts-1");
  expired.pass(expired.wakesIn() ?? 0);
  const sweeping = ready();
  sweeping.pass(sweeping.wakesIn() ?? 0);
  const closed = ready();
  closed.pass(closed.wakesIn() ?? 0);
  closed.send("discarded");
  return {
    issued: take(attachment()),
    uploaded: take(uploaded, { type: "verified", object }),
    "uploaded without an answer": take(uploaded),
    pausing: take(pausing),
    ready: take(ready(), { type: "uploaded" }),
    "ready, its upload URL at an end": take(ready()),
    rejected: take(rejected),
    expired: take(expired),
    sweeping: take(sweeping, { type: "discarded" }),
    "sweeping without an answer": take(sweeping),
    closed: take(closed, { type: "uploaded" }),
  };
};

const deliveryCases = (): Record<string, Case> => {
  const event = { id: "event-1", type: "job.succeeded", stream: "stream-1", seq: 7 };
  const delivery = () => drive(deliveryMachine, { event, redeliveryOf: null });
  const sending = delivery();
  sending.send("start");
  const answer = { type: "answered", n: 1, ms: 5, status: 200, response: "ok", afterMs: 0 };
  const waiting = delivery();
  waiting.sendAll([{ type: "start" }, { type: "unanswered", n: 1, ms: 5, code: "timeout" }]);
  const failed = delivery();
  failed.sendAll([{ type: "start" }, { ...answer, status: 410 }]);
  return {
    pending: take(delivery(), { type: "start" }),
    sending: take(sending, answer),
    "sending without an answer": take(sending),
    waiting: take(waiting),
    "waiting, redelivered": take(waiting, { type: "redeliver" }),
    failed: take(failed, { type: "redeliver" }),
  };
};

export const goldenCases: Record<ActorKind, () => Record<string, Case>> = {
  job: jobCases,
  batch: batchCases,
  attachment: attachmentCases,
  delivery: deliveryCases,
};
