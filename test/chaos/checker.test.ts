import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { check } from "./checker.ts";
import { fatesOf } from "./checker-bills.ts";
import type { Order } from "./customers.ts";
import type { Actor, Bill, Evidence, Fact } from "./evidence.ts";
import { BATCH, CANCELED, CHAT, FIRST, makeEvidence, OWNER, PICTURE, UNKNOWN } from "./sample.ts";
import { storyOf } from "./story.ts";
import type { Seen, Watched } from "./watchers.ts";

type Spoil = (evidence: Evidence) => void;

const actorIn = ({ actors }: Evidence, id: string) => actors.find((actor) => actor.id === id) as Actor;
const orderIn = ({ orders }: Evidence, id: string) => orders.find((order) => order.id === id) as Order;
const billIn = ({ bills }: Evidence, job: string) => bills.find((bill) => bill.job === job) as Bill;
const factIn = ({ facts }: Evidence, stream: string, seq: number) =>
  facts.find((fact) => fact.stream === stream && fact.seq === seq) as Fact;
const clientIn = ({ watched }: Evidence, n = 0) => watched[n] as Watched;
const remove = <T>(all: T[], fits: (one: T) => boolean) => void all.splice(all.findIndex(fits), 1);
const swap = <T>(all: T[], n: number) => void all.splice(n, 2, all[n + 1] as T, all[n] as T);

/** What may go wrong, and what the checker says to it. */
const SPOILT: Record<string, readonly [says: RegExp, spoil: Spoil]> = {
  "a job that goes on": [
    /has not ended, in active\.running\.waiting/,
    (e) =>
      Object.assign(actorIn(e, PICTURE), { state: "active.running.waiting", finishedAt: null, wakeAt: e.at + 1000 }),
  ],
  "a job without a timer": [
    /a timer that is stuck, in queued/,
    (e) => Object.assign(actorIn(e, PICTURE), { state: "queued", finishedAt: null, wakeAt: null }),
  ],
  "a timer that is long overdue": [
    /a timer that is stuck/,
    (e) => Object.assign(actorIn(e, PICTURE), { state: "queued", finishedAt: null, wakeAt: e.at - 60_000 }),
  ],
  "a parked actor": [/parked: it threw/, (e) => Object.assign(actorIn(e, BATCH), { parked: "it threw" })],
  "a step that left no trace": [
    /a history of 1,3 up to version 3/,
    (e) => remove(e.transitions, ({ actor, version }) => actor === PICTURE && version === 2),
  ],
  "a success without a picture": [/0 pictures of a job/, (e) => remove(e.outputs, ({ job }) => job === FIRST)],
  "a picture of a failure": [/1 pictures of a job that is FAILED/, (e) => e.outputs.push({ job: UNKNOWN, keys: [] })],
  "an order that was lost": [/an order that was lost/, (e) => Object.assign(orderIn(e, PICTURE), { id: "gone" })],
  "two orders that became one": [
    /two orders were answered with one job/,
    (e) => Object.assign(orderIn(e, PICTURE), { id: CANCELED }),
  ],
  "an order that was done twice": [
    /6 jobs of 5 that were ordered/,
    (e) => e.jobs.push({ id: "again", batch: null, index: null, prompt: "A small red fox" }),
  ],
  "a batch that lacks a job": [/a batch of 2 with jobs 1/, (e) => remove(e.jobs, ({ id }) => id === FIRST)],
  "a batch that ended otherwise than its jobs": [
    /a batch of FAILED,SUCCEEDED that is succeeded/,
    (e) => Object.assign(actorIn(e, FIRST), { status: "FAILED" }),
  ],
  "a cancel that was forgotten": [
    /a cancel that was forgotten/,
    (e) => Object.assign(actorIn(e, CANCELED).context, { cancel: null }),
  ],
  "a slot that was not given back": [/1 slots of replicate/, (e) => Object.assign(e.accounts[0] ?? {}, { inUse: 1 })],
  "a turn that nobody gave": [/2 of .* still wait/, (e) => Object.assign(e.waiting[0] ?? {}, { waiting: 2 })],
  "an unread letter": [/that nobody read/, (e) => e.letters.push({ target: BATCH, source: FIRST })],
  "a second bill of an attempt": [/billed 2 times/, (e) => e.bills.push({ ...billIn(e, PICTURE), id: "another" })],
  "a second bill of a job": [
    /1 acceptances of 2 bills/,
    (e) => e.bills.push({ ...billIn(e, PICTURE), id: "another", attempt: "of another attempt" }),
  ],
  "a bill of no attempt": [/a bill of no attempt/, (e) => Object.assign(billIn(e, PICTURE), { attempt: null })],
  "a bill of no job": [/a bill of no job/, (e) => Object.assign(billIn(e, PICTURE), { job: "nobody's" })],
  "a bill that nobody knows of": [
    /a bill that nobody knows of/,
    (e) => Object.assign(actorIn(e, UNKNOWN).context, { error: { code: "not_sent" } }),
  ],
  "a ref that was never billed": [/1 acceptances of 0 bills/, (e) => remove(e.bills, ({ job }) => job === FIRST)],
  "a bill from before the commit": [
    /billed 5000 ms before/,
    (e) => Object.assign(billIn(e, PICTURE), { at: e.at - 5000 }),
  ],
  "a paid picture that was thrown away": [
    /a job that is TIMEOUT of a picture that is completed/,
    (e) => Object.assign(actorIn(e, PICTURE), { status: "TIMEOUT" }),
  ],
  "a failure that nobody asked for": [
    /nobody asked for: provider_error/,
    (e) => Object.assign(actorIn(e, UNKNOWN).context, { error: { code: "provider_error" } }),
  ],
  "an orphan that goes on": [/an orphan that goes on/, (e) => Object.assign(billIn(e, CANCELED), { ending: null })],
  "a gap in a stream": [
    /the stream .* of 9 facts has 1,2,3,5/,
    (e) => remove(e.facts, ({ stream, seq }) => stream === CHAT && seq === 4),
  ],
  "a stream whose head is behind": [/of 8 facts has/, (e) => Object.assign(e.streams[0] ?? {}, { seq: 8 })],
  "a fact that was told twice": [
    /told twice/,
    (e) => Object.assign(factIn(e, BATCH, 2), { id: factIn(e, BATCH, 1).id }),
  ],
  "a gap in what an owner has": [/the owner .* has/, (e) => Object.assign(factIn(e, BATCH, 2), { ownerSeq: 100 })],
  "a fact that was not published": [
    /JetStream has the stream .* as 1,2,3,4,6/,
    (e) => remove(e.published, ({ stream, seq }) => stream === BATCH && seq === 5),
  ],
  "facts that were published out of order": [/JetStream has .* as 2,1,3/, (e) => swap(e.published, 0)],
  "a watermark that is behind": [/published up to 3 of 9/, (e) => Object.assign(e.streams[0] ?? {}, { published: 3 })],
  "a message that a consumer missed": [
    /a consumer got the stream .* as 1,3/,
    (e) => Object.assign(e, { heard: e.heard.filter(({ stream, seq }) => stream !== BATCH || seq !== 2) }),
  ],
  "a message that no fact is behind": [
    /a consumer got a stream that there is not/,
    (e) => Object.assign(e, { heard: [...e.heard, { life: "first", place: 99, stream: OWNER, seq: 1, id: "x" }] }),
  ],
  "an event that a client missed": [/a client by sse .* saw/, (e) => remove(clientIn(e).seen, ({ seq }) => seq === 5)],
  "the end that a client missed": [/a client by websocket .* saw/, (e) => void clientIn(e, 2).seen.pop()],
  "an event that a client got before another": [
    /a client by sse .* got 1,3,2 on connection 1, to node 0/,
    (e) => swap(clientIn(e).seen, 1),
  ],
  "an event that a client got twice": [
    /got .*4,4.* on connection 2/,
    (e) => clientIn(e).seen.splice(3, 0, { ...(clientIn(e).seen[3] as Seen) }),
  ],
  "an event that a client got and that was never committed": [
    /a client by sse .* saw/,
    (e) => Object.assign(clientIn(e).seen[4] ?? {}, { id: "another" }),
  ],
  "an event of another job": [
    /a client by sse of .* in .* saw/,
    (e) => clientIn(e, 1).seen.push({ ...(clientIn(e).seen.at(-1) as Seen) }),
  ],
  "a client that was told to start over": [/to start over 1 times/, (e) => void clientIn(e).resets++],
  "a client that was never let in": [/never greeted/, (e) => Object.assign(clientIn(e, 2), { from: -1 })],
  "a picture that is gone": [/an object that is gone/, (e) => void e.objects.pop()],
  "a picture that nothing names": [/an object that nothing names/, (e) => e.objects.push(`media/${OWNER}/unnamed.png`)],
  "an object where none should be": [/has no business here/, (e) => e.objects.push("uploads/forgotten")],
  "a line that no node should write": [/a node wrote an error/, (e) => Object.assign(e, { errors: ["an error"] })],
  "an answer that nobody should get": [/was answered 500/, (e) => Object.assign(e, { complaints: ["500"] })],
};

describe("the checker", () => {
  it("finds nothing where nothing is wrong", () => assert.deepEqual(check(makeEvidence()), []));

  for (const [name, [says, spoil]] of Object.entries(SPOILT)) {
    it(`finds ${name}`, () => {
      const evidence = makeEvidence();
      spoil(evidence);
      const found = check(evidence).map(({ what }) => what);
      assert.ok(
        found.some((what) => says.test(what)),
        `it says ${JSON.stringify(found)}`,
      );
    });
  }

  it("takes what comes again for what it is, as long as the order is right when that is ignored", () => {
    const evidence = makeEvidence();
    const [first, ...others] = evidence.heard;
    assert.ok(first);
    Object.assign(evidence, { heard: [first, first, ...others, ...evidence.heard] });
    const client = clientIn(evidence);
    client.seen.splice(4, 0, ...client.seen.slice(2, 4).map((seen) => ({ ...seen, connection: 3 })));
    for (const seen of client.seen.slice(6)) seen.connection = 3;
    assert.deepEqual(check(evidence), []);
  });

  it("lets a job that got its picture and did not end well leave it behind", () => {
    const evidence = makeEvidence();
    evidence.objects.push(`media/${OWNER}/left.png`);
    Object.assign(factIn(evidence, CHAT, 6), { type: "job.rendered" });
    assert.deepEqual(check(evidence), []);
  });

  it("says what became of each bill", () => {
    const fates = fatesOf(makeEvidence()).map(({ fate }) => fate);
    assert.deepEqual(fates, ["adopted", "orphan", "unknown", "adopted", "adopted"]);
  });
});

describe("the story of an actor", () => {
  it("has its steps, its facts, its bills and who saw them", () => {
    const story = storyOf(makeEvidence(), PICTURE);
    assert.match(story, /start → active\.submitting \[submit\]/);
    assert.match(story, /job\.succeeded/);
    assert.match(story, /"provider":"replicate"/);
    assert.match(story, /sse from 0, 2 connections: 1@1\/0/);
  });
});
