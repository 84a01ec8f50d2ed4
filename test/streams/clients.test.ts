import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { NEVER, throwError } from "rxjs";
import { Problem } from "../../src/errors.ts";
import { createClients } from "../../src/streams/clients.ts";
import { recordingLog } from "../http/bundle.ts";
import { createVirtualClock } from "./clock.ts";

const setup = ({ perUser = 2, most = 3 } = {}) => {
  const clock = createVirtualClock();
  const counts = { sse: 0, websocket: 0 };
  const { log, lines } = recordingLog();
  const clients = createClients({
    clock,
    perUser,
    most,
    log,
    random: Math.random,
    counted: (transport, change) => {
      counts[transport] += change;
    },
  });
  const open = (userId: string) => ({ userId, expiresAt: Number.POSITIVE_INFINITY, messages: () => NEVER });
  const refused = (code: string) => (error: unknown) => error instanceof Problem && error.code === code;
  return { clients, clock, counts, lines, open, refused };
};

/** When clients come back that are sent away, ms. */
const returns = async (responses: Response[]) => {
  const texts = await Promise.all(responses.map((response) => response.text()));
  return texts.map((text) => Number([...text.matchAll(/^retry: (\d+)$/gm)].at(-1)?.[1]));
};

describe("the streams of a node", () => {
  it("are bounded for each user, over both transports", () => {
    const { clients, open, refused } = setup();
    clients.sse(open("ann"));
    clients.socket(open("ann"));
    assert.throws(() => clients.sse(open("ann")), refused("too_many_connections"));
    assert.throws(() => clients.socket(open("ann")), refused("too_many_connections"));
    clients.sse(open("bob"));
  });

  it("are bounded in all", () => {
    const { clients, open, refused } = setup();
    for (const user of ["ann", "bob", "cid"]) clients.sse(open(user));
    assert.throws(() => clients.sse(open("dan")), refused("too_many_connections"));
  });

  it("make room when one ends", async () => {
    const { clients, counts, open } = setup({ perUser: 1 });
    const response = clients.sse(open("ann"));
    assert.deepEqual(counts, { sse: 1, websocket: 0 });
    await response.body?.cancel();
    const session = clients.socket(open("ann"));
    assert.deepEqual(counts, { sse: 0, websocket: 1 });
    session.close();
    session.close();
    assert.deepEqual(counts, { sse: 0, websocket: 0 });
    assert.equal(clients.open(), 0);
    clients.sse(open("ann"));
  });

  it("never expire for who has no end", () => {
    const { clients, clock, open } = setup();
    clients.socket(open("ann"));
    clock.advance(86_400_000);
    assert.equal(clients.open(), 1);
  });

  it("end with the node, which takes no more", async () => {
    const { clients, counts, clock, open, refused } = setup();
    const response = clients.sse(open("ann"));
    clients.close();
    assert.match(await response.text(), /: open/);
    assert.equal(clients.open(), 0);
    assert.deepEqual(counts, { sse: 0, websocket: 0 });
    assert.equal(clock.pending(), 0);
    assert.throws(() => clients.sse(open("ann")), refused("draining"));
  });

  it("come back after the end of the node spread over time, about a thousand a second", async () => {
    const few = setup({ perUser: 100, most: 100 });
    const some = Array.from({ length: 100 }, () => few.clients.sse(few.open("ann")));
    few.clients.close();
    const soon = await returns(some);
    assert.ok(Math.min(...soon) >= 250 && Math.max(...soon) <= 1250, `${soon}`);
    assert.ok(new Set(soon).size > 50);
    const many = setup({ perUser: 5000, most: 5000 });
    const all = Array.from({ length: 5000 }, () => many.clients.sse(many.open("ann")));
    many.clients.close();
    const later = await returns(all);
    const inTheFirstSecond = later.filter((ms) => ms < 1250).length;
    assert.ok(inTheFirstSecond > 700 && inTheFirstSecond < 1300, `${inTheFirstSecond} in the first second`);
    assert.ok(Math.max(...later) <= 5250);
  });

  it("are logged when they fail, unless it was meant for the client", () => {
    const { clients, lines, open } = setup();
    clients.sse({ ...open("ann"), messages: () => throwError(() => new Error("the database is away")) });
    clients.sse({ ...open("ann"), messages: () => throwError(() => new Problem("not_found")) });
    assert.deepEqual(
      lines.map(({ level, message }) => [level, message]),
      [["warn", "a stream failed"]],
    );
    assert.equal(clients.open(), 0);
  });
});
