import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect } from "../../src/db/connect.ts";
import { until } from "../streams/until.ts";
import { createGround, type Node } from "../support/ground.ts";
import { deliveriesOf, SETTINGS, subscribe } from "./bundle.ts";
import { openReceiver } from "./receiver.ts";

const CHATS = 40;
/** A node that dies is taken over from soon. */
const HASTY = {
  NOT_AFTER_MS: "500",
  POLL_TIMEOUT_MS: "500",
  TAKEOVER_GRACE_MS: "1000",
  WEBHOOK_TIMEOUT_MS: "3000",
};

const createChats = ({ client }: Node, count: number) =>
  Promise.all(Array.from({ length: count }, async () => (await client.post<{ id: string }>("/chats", {})).body.id));

describe("two nodes that send webhooks", () => {
  it("send each event once, a few at a time in all, and go on when one of them dies", async () => {
    await using ground = await createGround({ ...SETTINGS, ...HASTY });
    await using receiver = await openReceiver();
    const [one, two] = [await ground.start(), await ground.start()];
    const webhook = await subscribe(one.client, receiver, { events: ["chat.created"] });
    const done = async (node: Node, count: number) => {
      const first = await deliveriesOf(node.client, webhook.id, "&status=SUCCEEDED");
      return first.length === count;
    };

    receiver.answer((response) => void setTimeout(() => response.writeHead(204).end(), 20));
    const chats = (await Promise.all([one, two].map((node) => createChats(node, CHATS)))).flat();
    await until(() => done(two, chats.length), 30_000);
    assert.deepEqual(receiver.all.map(({ event }) => event?.subject).toSorted(), chats.toSorted());
    assert.ok(receiver.most() <= 9, `${receiver.most()} at once`);
    const sql = connect(ground.database.url, { max: 1, role: "admin" });
    const made = await sql`select from actors where kind = 'delivery'`;
    await sql.end();
    assert.equal(made.length, chats.length);

    // Whoever has sent something by now waits for an answer that does not come.
    receiver.answer(() => {});
    const before = receiver.all.length;
    const more = await createChats(one, 10);
    await until(() => receiver.all.length >= before + 8);
    await one.server.kill9();
    receiver.accept();
    await until(() => done(two, chats.length + more.length), 60_000);
    const seen = new Set(receiver.all.map(({ event }) => event?.subject));
    assert.ok(more.every((id) => seen.has(id)));
    assert.equal(new Set(receiver.all.map(({ id }) => id)).size, chats.length + more.length);
  });

  it("keep the order of a stream", async () => {
    await using ground = await createGround({ ...SETTINGS, ...HASTY });
    await using receiver = await openReceiver();
    const nodes = [await ground.start(), await ground.start()];
    const [one] = nodes as [Node, Node];
    const webhook = await subscribe(one.client, receiver, { events: ["chat.*"], ordered: true });
    receiver.answer((response, _, nth) => void response.writeHead(nth % 4 === 0 ? 500 : 204).end());
    const [chat] = await createChats(one, 1);
    for (let n = 1; n <= 30; n++) {
      const { client } = nodes[n % 2] as Node;
      assert.equal((await client.send("PATCH", `/chats/${chat}`, { body: { title: String(n) } })).status, 200);
    }
    await until(async () => (await deliveriesOf(one.client, webhook.id, "&status=SUCCEEDED")).length === 31, 60_000);
    const seqs = receiver.all.map(({ event }) => Number(event?.sequence));
    assert.deepEqual(
      seqs,
      seqs.toSorted((a, b) => a - b),
    );
    assert.deepEqual(
      [...new Set(seqs)],
      Array.from({ length: 31 }, (_, n) => n + 1),
    );
  });
});
