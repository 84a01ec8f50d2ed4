import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { after, before, describe, it } from "node:test";
import { connect, type Sql } from "../../src/db/connect.ts";
import { createQueries, loadQueries } from "../../src/db/queries.ts";
import { type Fault, faultCatalog } from "../../src/embedded/simulated/faults.ts";
import { createLedger, type Ledger } from "../../src/embedded/simulated/ledger.ts";
import { createSimulatedProvider, type SimulatedProviderDeps } from "../../src/embedded/simulated/provider.ts";
import { createLog } from "../../src/log.ts";
import type { CheckOutcome, Generation, Provider } from "../../src/ports.ts";
import { cloneDatabase, type TestDatabase } from "../support/postgres.ts";

const START = 1_800_000_000_000;
const never = new AbortController().signal;

let database: TestDatabase;
let sql: Sql;
let ledger: Ledger;
before(async () => {
  database = await cloneDatabase();
  sql = connect(database.url, { max: 4, role: "write" });
  ledger = createLedger(createQueries(sql, loadQueries()));
});
after(async () => {
  await sql.end({ timeout: 5 });
  await database.drop();
});

const generation = (prompt: string, more: Partial<Generation> = {}): Generation => ({
  attempt: crypto.randomUUID(),
  model: "nano-banana",
  tool: "text_to_image",
  prompt,
  params: {},
  inputs: [],
  deadline: START + 60_000,
  webhook: null,
  ...more,
});

/** A provider whose clock stands still until it is moved. */
const setup = (options: Partial<SimulatedProviderDeps> = {}) => {
  const clock = { now: START };
  const start = (more: Partial<SimulatedProviderDeps> = {}) =>
    createSimulatedProvider({
      ledger,
      now: () => clock.now,
      secret: "a secret of the simulated provider",
      latencyMs: 0,
      queueMs: 0,
      failureRate: 0,
      lostRate: 0,
      log: createLog("silent"),
      ...options,
      ...more,
    });
  return { clock, start, provider: start() };
};

const accepted = async (provider: Provider, asked: Generation): Promise<string> => {
  const outcome = await provider.submit(asked, never);
  assert.equal(outcome.kind, "accepted");
  return outcome.kind === "accepted" ? outcome.ref : "";
};

const check = (provider: Provider, ref: string) => provider.check(ref, never);

const billed = async (attempt: string): Promise<number> =>
  Number((await sql`select count(*)::int as count from simulated_submits where attempt = ${attempt}`)[0]?.count);

describe("a simulated run", () => {
  it("is complete at the first check when nothing takes time", async () => {
    const { provider } = setup();
    const ref = await accepted(provider, generation("a cat", { params: { num_outputs: 2 } }));
    assert.deepEqual(await check(provider, ref), {
      kind: "completed",
      outputs: [0, 1].map((index) => ({ url: `simulated:${ref}#${index}`, mime: "image/jpeg" })),
    });
  });

  it("waits in line, runs and completes by the clock alone", async () => {
    const { provider, clock } = setup({ latencyMs: 4000, queueMs: 1000 });
    const ref = await accepted(provider, generation("a cat"));
    const seen: CheckOutcome[] = [];
    for (; clock.now < START + 8000; clock.now += 100) seen.push(await check(provider, ref));
    const kinds = seen.map(({ kind }) => kind);
    assert.deepEqual([...new Set(kinds)], ["queued", "running", "completed"]);
    assert.deepEqual(
      kinds,
      [...kinds].sort((a, b) => "qrc".indexOf(a.charAt(0)) - "qrc".indexOf(b.charAt(0))),
    );
    const positions = seen.flatMap((one) => (one.kind === "queued" ? [one.position ?? 0] : []));
    const progress = seen.flatMap((one) => (one.kind === "running" ? [one.progress ?? -1] : []));
    assert.deepEqual(
      positions,
      [...positions].sort((a, b) => b - a),
    );
    assert.ok(positions.every((position) => position >= 1));
    assert.deepEqual(
      progress,
      [...progress].sort((a, b) => a - b),
    );
    assert.ok(progress.every((share) => share >= 0 && share < 1));
    assert.ok(progress.length >= 24 && progress.length <= 64, "0.6 to 1.6 times the typical time");
  });

  it("takes four times as long for video and gives a WebP", async () => {
    const { provider, clock } = setup({ latencyMs: 1000 });
    const ref = await accepted(provider, generation("a cat", { tool: "text_to_video" }));
    clock.now += 2300;
    assert.equal((await check(provider, ref)).kind, "running");
    clock.now += 4200;
    const done = await check(provider, ref);
    assert.deepEqual(done.kind === "completed" && done.outputs[0]?.mime, "image/webp");
  });

  it("fails retryably as often as the settings say", async () => {
    const { provider } = setup({ failureRate: 1 });
    const outcome = await check(provider, await accepted(provider, generation("a cat")));
    assert.deepEqual([outcome.kind, outcome.kind === "failed" && outcome.retryable], ["failed", true]);
  });
});

describe("a simulated ref", () => {
  it("is answered alike by a provider that was started later, even one with an empty ledger", async () => {
    const { provider, start, clock } = setup({ latencyMs: 4000, queueMs: 1000 });
    const ref = await accepted(provider, generation("a cat"));
    const forgetful = start({ ledger: { ...ledger, find: async () => null } });
    for (const step of [0, 700, 2500, 9000]) {
      clock.now = START + step;
      const expected = await check(provider, ref);
      assert.deepEqual(await check(start(), ref), expected);
      assert.deepEqual(await check(forgetful, ref), expected);
    }
  });

  it("is gone when it was tampered with, made with another secret, or is nonsense", async () => {
    const { provider, start } = setup();
    const ref = await accepted(provider, generation("a cat"));
    const [version, payload = "", signature] = ref.split(".");
    const longer = JSON.parse(Buffer.from(payload, "base64url").toString());
    const forged = Buffer.from(JSON.stringify({ ...longer, prompt: "another" })).toString("base64url");
    const other = await accepted(start({ secret: "another secret" }), generation("a cat"));
    for (const bad of [`${version}.${forged}.${signature}`, other, `${ref}x`, `${ref}.`, "", "sim1..", "\0"]) {
      assert.deepEqual(await check(provider, bad), { kind: "gone" });
    }
  });

  it("stays short and whole however long the prompt is", async () => {
    const { provider } = setup();
    const ref = await accepted(provider, generation(`${"😀".repeat(500)}\0${"x".repeat(100_000)}`));
    assert.ok(ref.length < 2500, `${ref.length} characters`);
    assert.match(ref, /^[\w.-]+$/);
    assert.equal((await check(provider, ref)).kind, "completed");
  });
});

describe("the simulated ledger", () => {
  it("bills an attempt once, however often and at once it is submitted", async () => {
    const { provider, start } = setup();
    const asked = generation("a cat");
    const refs = await Promise.all(
      Array.from({ length: 40 }, (_, i) => accepted(i % 2 ? provider : start({ now: () => START + i }), asked)),
    );
    assert.equal(new Set(refs).size, 1);
    assert.equal(await billed(asked.attempt), 1);
    assert.deepEqual(await provider.find(asked.attempt, START, never), { kind: "found", ref: refs[0] });
    assert.deepEqual(await provider.find(crypto.randomUUID(), START, never), { kind: "absent" });
  });

  it("remembers a cancel for all, past the instant when the run would have ended", async () => {
    const { provider, start, clock } = setup({ latencyMs: 4000 });
    const ref = await accepted(provider, generation("a cat"));
    assert.deepEqual(await provider.cancel(ref, never), { kind: "canceled" });
    assert.deepEqual(await provider.cancel(ref, never), { kind: "canceled" });
    clock.now += 60_000;
    assert.deepEqual(await check(start(), ref), { kind: "canceled" });
  });

  it("does not cancel what has finished, nor what it never saw", async () => {
    const { provider } = setup();
    const ref = await accepted(provider, generation("a cat"));
    assert.deepEqual(await provider.cancel(ref, never), { kind: "already_finished" });
    assert.equal((await check(provider, ref)).kind, "completed");
    assert.equal((await provider.cancel("sim1.x.y", never)).kind, "unknown");
  });

  it("makes every answer uncertain, and says nothing of why, while it is away", async () => {
    const { start, provider } = setup();
    const ref = await accepted(provider, generation("a cat"));
    const away = start({ ledger: createLedger(() => Promise.reject(new Error("password=hunter2"))) });
    const answers = [
      await away.submit(generation("a cat"), never),
      await away.find("x", START, never),
      await check(away, ref),
      await away.cancel(ref, never),
    ];
    assert.deepEqual(
      answers.map(({ kind }) => kind),
      ["ambiguous", "unknown", "unknown", "unknown"],
    );
    assert.doesNotMatch(JSON.stringify(answers), /hunter2/);
  });

  it("is not waited for once the signal aborts", async () => {
    const { start } = setup();
    const hanging = start({ ledger: createLedger(() => new Promise(() => {})) });
    const abort = new AbortController();
    const submit = hanging.submit(generation("a cat"), abort.signal);
    abort.abort();
    assert.deepEqual(await submit, { kind: "ambiguous", reason: "timeout" });
    const late = await hanging.submit(generation("a cat"), abort.signal);
    assert.deepEqual([late.kind, late.kind === "rejected" && late.code], ["rejected", "not_sent"]);
  });
});

describe("a lost answer", () => {
  it("happens as often as the settings say, once per attempt, and is billed", async () => {
    const { provider } = setup({ lostRate: 1 });
    const asked = generation("a cat");
    assert.equal((await provider.submit(asked, never)).kind, "ambiguous");
    const found = await provider.find(asked.attempt, START, never);
    assert.equal(found.kind, "found");
    assert.equal(await accepted(provider, asked), found.kind === "found" && found.ref);
    assert.equal(await billed(asked.attempt), 1);
  });
});

/** What each fault word does; the loop below insists that none is forgotten. */
const FAULTS: Record<Fault, (ask: (more?: Partial<Generation>) => Generation) => Promise<void>> = {
  fail: async (ask) => {
    const { provider } = setup();
    const outcome = await check(provider, await accepted(provider, ask()));
    assert.deepEqual([outcome.kind, outcome.kind === "failed" && outcome.retryable], ["failed", false]);
  },
  "fail-twice": async (ask) => {
    const { provider, clock } = setup();
    const kinds = async () => {
      const seen: string[] = [];
      for (let i = 0; i < 3; i++) seen.push((await check(provider, await accepted(provider, ask()))).kind);
      return seen;
    };
    assert.deepEqual(await kinds(), ["failed", "failed", "completed"]);
    clock.now += 6 * 60_000;
    assert.deepEqual(await kinds(), ["failed", "failed", "completed"]);
  },
  moderate: async (ask) => {
    const { provider, clock } = setup({ latencyMs: 1000 });
    const refs = [await accepted(provider, ask()), await accepted(provider, ask({ prompt: "голая правда" }))];
    assert.equal((await check(provider, refs[0] ?? "")).kind, "running");
    clock.now += 2000;
    for (const ref of refs) assert.deepEqual(await check(provider, ref), { kind: "moderated" });
  },
  reject: async (ask) => {
    const asked = ask();
    const outcome = await setup().provider.submit(asked, never);
    assert.deepEqual([outcome.kind, outcome.kind === "rejected" && outcome.retryable], ["rejected", false]);
    assert.equal(await billed(asked.attempt), 0);
  },
  busy: async (ask) => {
    const asked = ask();
    const outcome = await setup().provider.submit(asked, never);
    assert.deepEqual(outcome, { kind: "rejected", retryable: true, code: "provider_busy", afterMs: 1000 });
    assert.equal(await billed(asked.attempt), 0);
  },
  lost: async (ask) => {
    const { provider } = setup();
    const asked = ask();
    assert.equal((await provider.submit(asked, never)).kind, "ambiguous");
    assert.equal(await billed(asked.attempt), 1);
    assert.equal((await check(provider, await accepted(provider, asked))).kind, "completed");
  },
  vanish: async (ask) => {
    const { provider } = setup();
    const asked = ask();
    for (let i = 0; i < 2; i++) assert.equal((await provider.submit(asked, never)).kind, "ambiguous");
    assert.equal(await billed(asked.attempt), 1);
    assert.deepEqual(await provider.find(asked.attempt, START, never), { kind: "unknown" });
  },
  gone: async (ask) => {
    const { provider } = setup();
    assert.deepEqual(await check(provider, await accepted(provider, ask())), { kind: "gone" });
  },
  queue: async (ask) => {
    const { provider, clock } = setup();
    const ref = await accepted(provider, ask());
    clock.now += 9_900;
    assert.deepEqual(await check(provider, ref), { kind: "queued", position: 1 });
    clock.now += 100;
    assert.equal((await check(provider, ref)).kind, "completed");
  },
  slow: async (ask) => {
    const { provider, clock } = setup();
    const ref = await accepted(provider, ask());
    clock.now += 5_000;
    assert.deepEqual(await check(provider, ref), { kind: "running", progress: 0.5 });
    clock.now += 5_000;
    assert.equal((await check(provider, ref)).kind, "completed");
  },
  stuck: async (ask) => {
    const { provider, clock } = setup({ latencyMs: 1000 });
    const ref = await accepted(provider, ask());
    clock.now += 30 * 86_400_000;
    assert.deepEqual(await check(provider, ref), { kind: "running", progress: 0.62 });
    assert.deepEqual(await provider.cancel(ref, never), { kind: "canceled" });
  },
  flaky: async (ask) => {
    const { provider, clock } = setup();
    const ref = await accepted(provider, ask());
    const kinds: string[] = [];
    for (let i = 0; i < 60; i++, clock.now += 700) kinds.push((await check(provider, ref)).kind);
    const outages = kinds.filter((kind) => kind === "unknown").length;
    assert.ok(outages >= 15 && outages <= 45, `${outages} of 60`);
    assert.ok(kinds.includes("completed"));
  },
  uncancelable: async (ask) => {
    const { provider, clock } = setup({ latencyMs: 1000 });
    const ref = await accepted(provider, ask());
    assert.deepEqual(await provider.cancel(ref, never), { kind: "refused" });
    clock.now += 2000;
    assert.equal((await check(provider, ref)).kind, "completed");
  },
  empty: async (ask) => {
    const { provider } = setup();
    assert.deepEqual(await check(provider, await accepted(provider, ask())), { kind: "completed", outputs: [] });
  },
  expired: async (ask) => {
    const { provider } = setup();
    const done = await check(provider, await accepted(provider, ask()));
    const [output] = done.kind === "completed" ? done.outputs : [];
    assert.ok(output);
    await assert.rejects(provider.download(output, never), { code: "output_expired", retryable: false });
  },
};

describe("a fault word in a prompt", () => {
  for (const { word, effect } of faultCatalog) {
    it(`[${word}] ${effect}`, () => FAULTS[word as Fault]((more) => generation(`a [${word}] cat`, more)));
  }

  it("may be a hashtag in any case, among others, but not part of a word", async () => {
    const { provider } = setup();
    const kindOf = async (prompt: string) => (await check(provider, await accepted(provider, generation(prompt)))).kind;
    assert.equal(await kindOf("a cat #FAIL #uncancelable"), "failed");
    assert.equal(await kindOf("a #failing cat, [fails] a#fail, fail"), "completed");
    assert.equal(await kindOf("a skyscraper in Scunthorpe, [x]"), "completed");
  });
});
