import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ownerLine } from "../../src/bus/lines.ts";
import { lineSubject, parseSubject, subjectOf } from "../../src/bus/subjects.ts";

const MACHINES = new URL("../../machines/", import.meta.url);

const fact = fc.record({
  owner: fc.uuid(),
  stream: fc.uuid(),
  actorKind: fc.constantFrom("job", "batch", "attachment", "chat", "message", "option"),
  actorId: fc.uuid(),
  type: fc.stringMatching(/^[a-z]{1,12}\.[a-z]{1,10}(_[a-z]{1,10}){0,2}$/),
});

describe("the subject of a fact", () => {
  it("is read back as it was built", () => {
    fc.assert(
      fc.property(fact, (given) => {
        const { type, ...rest } = given;
        assert.deepEqual(parseSubject(subjectOf(given)), { ...rest, verb: type.split(".")[1] });
      }),
      { seed: 1 },
    );
  });

  it("has only tokens that NATS takes literally", () => {
    fc.assert(
      fc.property(fact, (given) => {
        assert.match(subjectOf(given), /^darkroom(\.[a-z0-9_-]+){5}$/);
      }),
      { seed: 2 },
    );
  });

  it("fits every fact that the machines emit", async () => {
    const types = new Set<string>();
    for (const file of (await readdir(MACHINES)).filter((name) => name.endsWith(".ts"))) {
      const text = await readFile(new URL(file, MACHINES), "utf8");
      for (const [, type = ""] of text.matchAll(/"((?:job|batch|attachment)\.[^"]*)"/g)) types.add(type);
    }
    assert.ok(types.size > 10);
    for (const type of types) {
      const subject = subjectOf({ owner: "o", stream: "s", actorKind: "job", actorId: "a", type });
      assert.equal(parseSubject(subject)?.verb, type.split(".")[1], type);
    }
  });

  it("is matched by the subject of its stream and by no other's", () => {
    const pattern = (stream: string) =>
      new RegExp(`^${lineSubject(stream).replaceAll(".", "\\.").replace("*", "[^.]+").replace(">", ".+")}$`);
    const subject = subjectOf({ owner: "o", stream: "s", actorKind: "job", actorId: "a", type: "job.succeeded" });
    assert.equal(subject, "darkroom.o.s.job.a.succeeded");
    assert.match(subject, pattern("s"));
    assert.doesNotMatch(subject, pattern("o"));
  });

  it("is matched by the subject of all that its owner owns", () => {
    assert.equal(lineSubject(ownerLine("o")), "darkroom.o.>");
  });

  it("is not found in what is not ours", () => {
    for (const subject of [
      "",
      "darkroom",
      "darkroom.o.s.job.a",
      "darkroom.o.s.job.a.b.c",
      "other.o.s.job.a.b",
      "darkroom..s.job.a.b",
    ])
      assert.equal(parseSubject(subject), null, subject);
  });
});
