import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { headers, type MsgHdrs } from "nats";
import { decodeFact, encodeFact, messageId } from "../../src/bus/message.ts";
import { subjectOf } from "../../src/bus/subjects.ts";
import type { Fact } from "../../src/ports.ts";
import { factsOf } from "./facts.ts";

const positive = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const shape = {
  id: fc.uuid(),
  stream: fc.uuid(),
  seq: positive,
  owner: fc.uuid(),
  ownerSeq: positive,
  type: fc.constantFrom("job.succeeded", "job.timed_out", "message.created"),
  at: fc.date({ min: new Date(0), max: new Date("2100-01-01"), noInvalidDate: true }).map(Number),
  actorKind: fc.constantFrom("job", "message"),
  actorId: fc.uuid(),
  // Through JSON once, because it knows no -0.
  data: fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue()).map((data) => JSON.parse(JSON.stringify(data))),
  traceparent: fc.option(fc.constant("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")),
};
const anyFact: fc.Arbitrary<Fact> = fc.record(shape, { noNullPrototype: true });

describe("a fact on the bus", () => {
  it("is the same after the way", () => {
    fc.assert(
      fc.property(anyFact, (fact) => {
        const { data, headers } = encodeFact(fact, "https://darkroom.example");
        assert.deepEqual(decodeFact(subjectOf(fact), headers, data), fact);
      }),
      { seed: 1 },
    );
  });

  it("is a CloudEvent in binary mode", () => {
    const [fact] = factsOf("0192d3c0-0000-7000-8000-000000000001", 7, 7);
    assert.ok(fact);
    const message = encodeFact(fact, "https://darkroom.example");
    const attributes = Object.fromEntries([...message.headers.keys()].map((key) => [key, message.headers.get(key)]));
    assert.deepEqual(attributes, {
      "ce-specversion": "1.0",
      "ce-id": fact.id,
      "ce-source": "https://darkroom.example",
      "ce-type": "darkroom.message.created",
      "ce-subject": fact.actorId,
      "ce-time": "2026-01-01T00:00:00.000Z",
      "ce-stream": fact.stream,
      "ce-sequence": "7",
      "ce-ownersequence": "7",
      "content-type": "application/json",
    });
    assert.deepEqual(JSON.parse(new TextDecoder().decode(message.data)), { text: "number 7" });
  });

  it("carries its trace as CloudEvents do and as tracing clients do, when it has one", () => {
    const [fact] = factsOf("s", 1, 1);
    assert.ok(fact);
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const { headers: traced } = encodeFact({ ...fact, traceparent }, "x");
    assert.deepEqual([traced.get("traceparent"), traced.get("ce-traceparent")], [traceparent, traceparent]);
    const { headers: untraced } = encodeFact(fact, "x");
    assert.deepEqual([untraced.has("traceparent"), untraced.has("ce-traceparent")], [false, false]);
  });

  it("has one message id however often it is published", () => {
    const [first] = factsOf("s", 3, 3);
    const [second] = factsOf("s", 3, 3);
    assert.ok(first && second);
    assert.equal(messageId(first), "s:3");
    assert.equal(messageId(second), "s:3");
  });

  it("is not seen in a stranger's message", () => {
    const [fact] = factsOf("s", 1, 1);
    assert.ok(fact);
    const subject = subjectOf(fact);
    const { data } = encodeFact(fact, "x");
    assert.equal(decodeFact(subject, undefined, data), null);
    assert.equal(decodeFact(subject, headers(), data), null);
    assert.equal(decodeFact("somewhere.else", encodeFact(fact, "x").headers, data), null);
    for (const [name, value] of [
      ["ce-id", ""],
      ["ce-type", "darkroom"],
      ["ce-type", "other.job.succeeded"],
      ["ce-sequence", "0"],
      ["ce-sequence", "1.5"],
      ["ce-ownersequence", "x"],
      ["ce-time", "yesterday"],
    ] as const) {
      const changed: MsgHdrs = encodeFact(fact, "x").headers;
      changed.set(name, value);
      assert.equal(decodeFact(subject, changed, data), null, `${name}: ${value}`);
    }
    assert.throws(() => decodeFact(subject, encodeFact(fact, "x").headers, new TextEncoder().encode("{")), SyntaxError);
  });
});
