import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { v7 } from "uuid";
import { emptyUnit, type Row, type Unit } from "../../src/actors/unit.ts";
import { aDelivery } from "../../src/endpoints/commands.ts";
import { setup } from "../actors/bundle.ts";

const bench = async () => {
  const world = await setup();
  const { engine } = await world.node();
  const id = v7();
  const at = new Date().toISOString();
  const submit = async (build: (unit: Unit) => void) => {
    const unit = emptyUnit(v7());
    build(unit);
    return (await engine.dispatch.submit(unit)).kind;
  };
  const endpoint = {
    user_id: world.owner,
    url: "https://a",
    events: ["*"],
    ordered: false,
    secret: "x",
    created_at: at,
  };
  await submit((unit) => {
    unit.rows.endpoints = [{ ...endpoint, id, most: 20 }];
  });
  return {
    ...world,
    submit,
    /** A page of one delivery: the cursor goes from here to there. */
    page: (from: number, to: number) =>
      submit((unit) => {
        unit.rows.endpoint_cursors = [{ id, from, to }];
        const event = { id: v7(), type: "chat.created", stream: v7(), seq: 1 };
        const of = { id: v7(), endpoint: id, owner: world.owner, traceparent: null };
        unit.actors.push(aDelivery(engine.dispatch, of, { event, redeliveryOf: null }));
      }),
    tried: (taken: boolean, more: Row = {}) =>
      submit((unit) => {
        unit.rows.endpoint_tries = [{ id, taken, gone: false, at, ...more }];
      }),
    remove: () =>
      submit((unit) => {
        unit.live.push({ kind: "endpoint", id });
        unit.rows.tombstones = [{ endpoint_id: id, deleted_at: at }];
      }),
    row: async () => (await world.sql`select * from endpoints where id = ${id}`)[0],
    deliveries: async () => (await world.sql`select from actors where kind = 'delivery'`).length,
  };
};

describe("the commit of what concerns an endpoint", () => {
  it("moves its cursor from where it was, once, with the deliveries of that page or without any", async () => {
    await using b = await bench();
    // In one group: they are handed in at once.
    const outcomes = await Promise.all([b.page(0, 5), b.page(0, 5), b.page(0, 7)]);
    assert.deepEqual(outcomes, ["won", "version_lost", "version_lost"]);
    assert.deepEqual([await b.page(0, 9), await b.page(5, 9)], ["version_lost", "won"]);
    assert.deepEqual([(await b.row())?.cursor, await b.deliveries()], [9, 2]);
  });

  it("makes no delivery of an endpoint that is deleted at the same moment or was before", async () => {
    await using b = await bench();
    assert.equal(await b.remove(), "won");
    assert.deepEqual([await b.page(0, 5), await b.remove(), await b.deliveries()], ["version_lost", "gone", 0]);
  });

  it("notes when it began to fail, and forgets it when anything is taken", async () => {
    await using b = await bench();
    const since = new Date(Date.now() - 60_000).toISOString();
    await b.tried(false, { at: since });
    await b.tried(false);
    assert.equal((await b.row())?.failing_since, Date.parse(since));
    await Promise.all([b.tried(false, { gone: true }), b.tried(true)]);
    assert.deepEqual([(await b.row())?.failing_since, (await b.row())?.gone_at], [null, null]);
    await b.tried(false, { gone: true });
    assert.notEqual((await b.row())?.gone_at, null);
  });

  it("can be handed in by a node that knows of no endpoints yet", async () => {
    await using b = await bench();
    const old = { units: [{ u: 1, unit: v7() }], live: [], actors: [], facts: [], chats: [] };
    const lists = ["user_changes", "tombstones", "drains", "tells", "users", "messages", "options", "batches", "jobs"];
    const payload = { ...old, ...Object.fromEntries(lists.map((name) => [name, []])) };
    const [row] = await b.sql`select commit_units(${v7()}, ${b.sql.json(payload)}) as answer`;
    assert.deepEqual(row?.answer.outcomes, ["won"]);
  });
});
