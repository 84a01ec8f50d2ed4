import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { v7 } from "uuid";
import { ownerLine } from "../../src/bus/lines.ts";
import type { Bus } from "../../src/ports.ts";
import { factsOf } from "./facts.ts";

/** What every bus keeps to. `open` is called once; the bus is closed here. */
export const describeBus = (name: string, open: () => Promise<Bus>) => {
  describe(`the ${name} bus`, () => {
    let bus: Bus;
    let stream: string;
    before(async () => {
      bus = await open();
    });
    after(() => bus.close());
    beforeEach(() => {
      stream = v7();
    });
    const listen = (of = stream) => {
      const seqs: number[] = [];
      return { seqs, leave: bus.subscribe(of, ({ seq }) => void seqs.push(seq)) };
    };

    it("tells its listeners at once what is announced on this node", () => {
      const { seqs, leave } = listen();
      bus.announce(factsOf(stream, 1, 3));
      assert.deepEqual(seqs, [1, 2, 3]);
      leave();
    });

    it("tells each listener of its own stream only", () => {
      const mine = listen();
      const other = listen(v7());
      bus.announce(factsOf(stream, 1, 1));
      assert.deepEqual([mine.seqs, other.seqs], [[1], []]);
      mine.leave();
      other.leave();
    });

    it("tells whoever listens to all that an owner owns, whatever the stream, and each of both once", () => {
      const [first] = factsOf(stream, 1, 1);
      const owner = first?.owner ?? "";
      const all = listen(ownerLine(owner));
      const mine = listen();
      const stranger = listen(ownerLine(v7()));
      bus.announce(factsOf(stream, 1, 2));
      bus.announce(factsOf(v7(), 7, 7));
      assert.deepEqual([all.seqs, mine.seqs, stranger.seqs], [[1, 2, 7], [1, 2], []]);
      for (const { leave } of [all, mine, stranger]) leave();
    });

    it("tells every listener of a stream until it leaves", () => {
      const first = listen();
      const second = listen();
      bus.announce(factsOf(stream, 1, 1));
      first.leave();
      first.leave();
      bus.announce(factsOf(stream, 2, 2));
      second.leave();
      bus.announce(factsOf(stream, 3, 3));
      assert.deepEqual([first.seqs, second.seqs], [[1], [1, 2]]);
    });

    it("lets a listener leave and another come while it is told", () => {
      const { seqs, leave } = listen();
      const late: number[] = [];
      let leaveLate = () => {};
      const leaveFirst = bus.subscribe(stream, () => {
        leave();
        leaveFirst();
        leaveLate = bus.subscribe(stream, (fact) => void late.push(fact.seq));
      });
      bus.announce(factsOf(stream, 1, 1));
      bus.announce(factsOf(stream, 2, 2));
      assert.deepEqual(seqs, [1]);
      assert.equal(late.at(-1), 2);
      leaveLate();
    });

    it("takes announcements that nobody listens to", () => {
      bus.announce(factsOf(stream, 1, 2));
      bus.announce([]);
    });

    it("takes what is published, and says how much", async () => {
      assert.equal(await bus.publish(factsOf(stream, 1, 5)), 5);
      assert.equal(await bus.publish([]), 0);
    });

    it("keeps what it took, and its name", async () => {
      const { name, head, lost } = await bus.storage(null);
      assert.deepEqual(await bus.storage({ name, losses: 0, head }), { name, head, lost });
      assert.equal(lost, false);
    });

    it("is well", async () => {
      await bus.check();
    });
  });
};
