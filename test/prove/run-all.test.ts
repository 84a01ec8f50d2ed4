import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Entry, named, runAll } from "./run-all.ts";

/** A program that is a line of shell. */
const entry = (name: string, script: string, more: Partial<Entry> = {}): Entry => ({
  name,
  command: ["/bin/sh", "-c", script],
  figures: /^figures: (.*)$/,
  ...more,
});

const prove = async (...entries: Entry[]) => proveUntil(new AbortController(), null, ...entries);

/** Stops when a line says `last`. */
const proveUntil = async (stop: AbortController, last: string | null, ...entries: Entry[]) => {
  const lines: string[] = [];
  const hear = (line: string) => {
    lines.push(line);
    if (line === last) stop.abort();
  };
  const passed = await runAll(entries, hear, stop.signal);
  const head = lines.findIndex((line) => line.startsWith("name "));
  return { passed, lines, rows: lines.slice(head + 1, -2), last: lines.at(-1) ?? "" };
};

describe("proving", () => {
  it("runs one after another, each with its environment, and shows what they said and a table of it", async () => {
    const { passed, lines, rows, last } = await prove(
      entry("kills", 'echo working; echo "figures: $KILLS kills, 0 doubles" >&2', { env: { KILLS: "200" } }),
      entry("speed", 'echo "figures: 120 MB/s"; echo "figures: 40 MB"'),
    );
    assert.ok(passed);
    assert.ok(lines.includes("working"));
    assert.match(rows[0] ?? "", /^kills +\d+\.\d +passed +200 kills, 0 doubles$/);
    assert.match(rows[1] ?? "", /^speed +\d+\.\d +passed +120 MB\/s$/);
    assert.match(rows[2] ?? "", /^ +40 MB$/);
    assert.equal(last, "ok | 2 passed | 0 failed");
  });

  it("goes on after one that failed, and fails as a whole", async () => {
    const { passed, rows, last } = await prove(
      entry("bad", 'echo "figures: 1 double"; exit 3'),
      entry("good", 'echo "figures: fine"'),
    );
    assert.ok(!passed);
    assert.match(rows[0] ?? "", /^bad +\d+\.\d +FAILED: exit code 3 +1 double$/);
    assert.match(rows[1] ?? "", /^good .* passed/);
    assert.equal(last, "FAILED | 1 passed | 1 failed");
  });

  it("takes nothing for a proof that gave no figures, skipped something, did not start or never ended", async () => {
    const { rows, last } = await prove(
      entry("silent", "true"),
      entry("skipping", 'echo "figures: none"; echo " 2 pass"; echo " 1 skip"'),
      entry("absent", "", { command: ["/nonexistent/program"] }),
      entry("endless", 'echo "figures: so far"; exec sleep 60', { limitMs: 100 }),
    );
    assert.match(rows[0] ?? "", /FAILED: it gave no figures/);
    assert.match(rows[1] ?? "", /FAILED: it skipped something/);
    assert.match(rows[2] ?? "", /FAILED: .*ENOENT/);
    assert.match(rows[3] ?? "", /FAILED: not done in 0 s/);
    assert.equal(last, "FAILED | 0 passed | 4 failed");
  });

  it("runs only what is named, and knows when there is no such thing", () => {
    const entries = [entry("one", "true"), entry("two", "true")];
    const names = (wanted: string[]) => named(entries, wanted).map(({ name }) => name);
    assert.deepEqual(names([]), ["one", "two"]);
    assert.deepEqual(names(["two"]), ["two"]);
    assert.throws(() => named(entries, ["two", "three"]), /no three to prove; there are one, two/);
  });

  it("that is stopped stops the one that runs, begins no other, and has failed", async () => {
    const stop = new AbortController();
    const { passed, rows, last } = await proveUntil(
      stop,
      "begun",
      entry("endless", 'echo "figures: so far"; echo begun; exec sleep 60'),
      entry("next", 'echo "figures: never"'),
    );
    assert.ok(!passed);
    assert.match(rows[0] ?? "", /^endless .* FAILED: stopped/);
    assert.match(rows[1] ?? "", /^next +0\.0 +FAILED: stopped$/);
    assert.equal(last, "FAILED | 0 passed | 2 failed");
  });
});
