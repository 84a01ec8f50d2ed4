import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { v7 } from "uuid";
import { createCommitter } from "../../src/actors/commit.ts";
import { emptyUnit, type Unit } from "../../src/actors/unit.ts";
import { connect } from "../../src/db/connect.ts";
import { createQueries, loadQueries, type Query } from "../../src/db/queries.ts";
import { createLog } from "../../src/log.ts";
import { until } from "../streams/until.ts";
import { setup } from "./bundle.ts";

const PATIENCE_MS = 3_000;

const bench = async (between: (real: Query) => Query = (real) => real) => {
  const world = await setup();
  const writes = connect(world.database.url, { max: 2, role: "write" });
  let groups = 0;
  let asked = 0;
  const real = createQueries(writes, loadQueries());
  const counted = ((...question: Parameters<Query>) => {
    asked++;
    return real(...question);
  }) as Query;
  const committer = createCommitter({
    query: between(counted),
    log: createLog("silent"),
    id: () => v7(),
    patienceMs: PATIENCE_MS,
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    observe: () => groups++,
  });
  const chat = (title = "a chat", stream = v7()): Unit => {
    const id = v7();
    const unit = emptyUnit(v7());
    unit.rows.chats = [{ id, user_id: world.owner, title, created_at: new Date().toISOString() }];
    unit.facts.push({
      id: v7(),
      stream,
      owner: world.owner,
      type: "chat.created",
      at: Date.now(),
      actorKind: "chat",
      actorId: id,
      data: { id },
    });
    return unit;
  };
  return {
    ...world,
    committer,
    chat,
    /** Groups that were answered, and questions that were asked. */
    groups: () => groups,
    asked: () => asked,
    chats: async () => (await world.sql<{ n: number }[]>`select count(*)::int n from chats`)[0]?.n,
    [Symbol.asyncDispose]: async () => {
      await writes.end({ timeout: 1 });
      await world[Symbol.asyncDispose]();
    },
  };
};

/** Lets a query through to the database, then loses its answer, as often as told. */
const loseAnswers = (times: number) => (real: Query) => {
  let left = times;
  return (async (name: string, params?: readonly unknown[]) => {
    const rows = await real(name, params);
    if (left-- > 0) throw Object.assign(new Error("lost"), { code: "CONNECTION_CLOSED" });
    return rows;
  }) as Query;
};

describe("group commit", () => {
  it("commits units that wait together in few transactions, each with its own outcome", async () => {
    await using b = await bench();
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => b.committer.commit(b.chat())));
    assert.ok(outcomes.every(({ kind }) => kind === "won"));
    assert.equal(await b.chats(), 100);
    assert.ok(b.groups() <= 3, `${b.groups()} groups`);
  });

  it("numbers the facts of one stream without a gap, whatever the groups", async () => {
    await using b = await bench();
    const stream = v7();
    const outcomes = await Promise.all(Array.from({ length: 300 }, () => b.committer.commit(b.chat("t", stream))));
    const seqs = outcomes.flatMap((outcome) => (outcome.kind === "won" ? outcome.seqs : []));
    assert.deepEqual(
      seqs.map(({ seq }) => seq).sort((a, b) => a - b),
      Array.from({ length: 300 }, (_, n) => n + 1),
    );
    assert.deepEqual(
      seqs.map(({ ownerSeq }) => ownerSeq).sort((a, b) => a - b),
      Array.from({ length: 300 }, (_, n) => n + 1),
    );
    assert.deepEqual(
      await b.seqs(stream),
      Array.from({ length: 300 }, (_, n) => n + 1),
    );
  });

  it("takes the same user from several nodes at the same moment", async () => {
    await using b = await bench();
    const query = createQueries(b.sql, loadQueries());
    const nodes = Array.from({ length: 4 }, () =>
      createCommitter({
        query,
        log: createLog("silent"),
        id: () => v7(),
        patienceMs: PATIENCE_MS,
        pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      }),
    );
    for (let round = 0; round < 40; round++) {
      const user = { id: v7(), email: `user-${round}@example.com`, password_hash: null, role: "user" };
      const outcomes = await Promise.all(
        nodes.map((committer) => {
          const unit = emptyUnit(v7());
          unit.rows.users = [user];
          return committer.commit(unit);
        }),
      );
      assert.deepEqual(
        outcomes.map(({ kind }) => kind),
        ["won", "won", "won", "won"],
      );
    }
  });

  it("refuses a poisoned unit alone and commits the rest of its group", async () => {
    await using b = await bench();
    const units = Array.from({ length: 20 }, (_, n) => b.chat(n === 13 ? "x".repeat(201) : "fine"));
    const outcomes = await Promise.allSettled(units.map((unit) => b.committer.commit(unit)));
    assert.deepEqual(
      outcomes.flatMap(({ status }, n) => (status === "rejected" ? [n] : [])),
      [13],
    );
    assert.equal(await b.chats(), 19);
  });

  it("learns the first outcome when the connection dies after COMMIT, and writes nothing twice", async () => {
    await using b = await bench(loseAnswers(2));
    const stream = v7();
    const outcomes = await Promise.all([
      b.committer.commit(b.chat("t", stream)),
      b.committer.commit(b.chat("t", stream)),
    ]);
    assert.ok(outcomes.every(({ kind }) => kind === "won"));
    assert.equal(await b.chats(), 2);
    assert.deepEqual(await b.seqs(stream), [1, 2]);
  });

  it("answers unavailable when the outcome stays unknown for too long", async () => {
    await using b = await bench(loseAnswers(Number.POSITIVE_INFINITY));
    await assert.rejects(b.committer.commit(b.chat()), { code: "unavailable" });
  });

  it("lets one of many identical requests win and gives the others its answer", async () => {
    await using b = await bench();
    const once = (bodyHash: string) => {
      const unit = b.chat();
      unit.idempotency = {
        userId: b.owner,
        route: "POST /x",
        key: "k",
        bodyHash,
        status: 202,
        answer: { unit: unit.id },
      };
      return unit;
    };
    const units = Array.from({ length: 100 }, () => once("same"));
    const outcomes = await Promise.all(units.map((unit) => b.committer.commit(unit)));
    assert.equal(outcomes.filter(({ kind }) => kind === "won").length, 1);
    const winner = units[outcomes.findIndex(({ kind }) => kind === "won")];
    for (const outcome of outcomes) {
      if (outcome.kind !== "replayed") continue;
      assert.deepEqual(outcome.answer, { unit: winner?.id });
      assert.equal(outcome.bodyHash, "same");
    }
    assert.equal(await b.chats(), 1);
    const other = await b.committer.commit(once("other"));
    assert.equal(other.kind === "replayed" && other.bodyHash, "same");
  });

  it("does nothing in a chat that was deleted", async () => {
    await using b = await bench();
    const created = b.chat();
    await b.committer.commit(created);
    const id = String(created.rows.chats?.[0]?.id);
    const remove = {
      ...emptyUnit(v7()),
      live: [{ kind: "chat" as const, id }],
      rows: { chat_changes: [{ id, deleted_at: new Date().toISOString() }] },
    };
    assert.equal((await b.committer.commit(remove)).kind, "won");
    const late = { ...b.chat(), live: [{ kind: "chat" as const, id }] };
    assert.equal((await b.committer.commit(late)).kind, "gone");
    assert.equal(await b.chats(), 1);
  });

  /** A session that has these rows, or tables, until it is told to let go. */
  const freeze = async ({ sql }: Awaited<ReturnType<typeof bench>>, statement: string) => {
    const frozen = await sql.reserve();
    await frozen.unsafe("begin");
    await frozen.unsafe(statement);
    return async () => {
      await frozen.unsafe("rollback");
      frozen.release();
    };
  };
  const rename = (id: unknown): Unit => ({
    ...emptyUnit(v7()),
    live: [{ kind: "chat", id: String(id) }],
    rows: { chat_changes: [{ id, title: "renamed" }] },
  });

  it("goes on with the line while units are locked out, and commits those when it can", async () => {
    await using b = await bench();
    const chats = [b.chat(), b.chat(), b.chat()];
    const ids = chats.map(({ rows }) => rows.chats?.[0]?.id);
    await Promise.all(chats.map((unit) => b.committer.commit(unit)));
    const letGo = await freeze(b, `select 1 from chats where id in ('${ids.join("', '")}') for update`);
    let renamed = 0;
    const mixed = ids.flatMap((id) => [
      b.committer.commit(rename(id)).then((outcome) => {
        renamed++;
        return outcome;
      }),
      ...Array.from({ length: 10 }, () => b.committer.commit(b.chat())),
    ]);
    const [first, second, third] = [0, 11, 22].map((n) => mixed[n]);
    const others = mixed.filter((_, n) => n % 11 !== 0);
    assert.ok((await Promise.all(others)).every(({ kind }) => kind === "won"));
    assert.equal(renamed, 0);
    // It knows by now: who needs the same row does not hold up anyone any more.
    const before = b.groups();
    const late = b.committer.commit(rename(ids[0]));
    assert.equal((await b.committer.commit(b.chat())).kind, "won");
    assert.equal(b.groups(), before + 1);
    await letGo();
    for (const outcome of await Promise.all([first, second, third, late])) assert.equal(outcome?.kind, "won");
    assert.equal(b.committer.depth(), 0);
  });

  it("gives up who stays locked out, and takes the next one once the row is free", async () => {
    await using b = await bench();
    const unit = b.chat();
    await b.committer.commit(unit);
    const id = unit.rows.chats?.[0]?.id;
    const letGo = await freeze(b, `select 1 from chats where id = '${id}' for update`);
    await assert.rejects(b.committer.commit(rename(id)), { code: "unavailable" });
    assert.equal((await b.committer.commit(b.chat())).kind, "won");
    await letGo();
    assert.equal((await b.committer.commit(rename(id))).kind, "won");
  });

  it("tells all of a crowd within its patience that a whole table is locked", async () => {
    await using b = await bench();
    const letGo = await freeze(b, "lock table facts in share mode");
    const crowd = Array.from({ length: 400 }, () => b.committer.commit(b.chat()));
    const began = performance.now();
    const outcomes = await Promise.allSettled(crowd);
    const ms = performance.now() - began;
    assert.ok(outcomes.every(({ status }) => status === "rejected"));
    assert.ok(ms < 3 * PATIENCE_MS, `the last one was told after ${ms} ms`);
    await letGo();
    assert.equal((await b.committer.commit(b.chat())).kind, "won");
    assert.equal(await b.chats(), 1);
  });

  it("commits all of a crowd when the lock on a whole table goes in time", async () => {
    await using b = await bench();
    const letGo = await freeze(b, "lock table facts in share mode");
    const crowd = Array.from({ length: 300 }, () => b.committer.commit(b.chat()));
    await until(() => b.asked() > 2);
    await letGo();
    assert.ok((await Promise.all(crowd)).every(({ kind }) => kind === "won"));
    assert.equal(await b.chats(), 300);
  });
});
