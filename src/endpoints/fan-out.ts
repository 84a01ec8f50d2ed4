import { LRUCache } from "lru-cache";
import type { Dispatch } from "../actors/dispatch.ts";
import { createErrands } from "../actors/errands.ts";
import { emptyUnit } from "../actors/unit.ts";
import type { Query } from "../db/queries.ts";
import type { Log } from "../log.ts";
import type { Clock, Draws } from "../ports.ts";
import { aDelivery } from "./commands.ts";
import { wants } from "./filter.ts";

const PAGE = 200;
/** Deliveries of one endpoint that are not over. Beyond that facts wait in the log. */
const MOST_OPEN = 10_000;
/** How far the cursor may stay behind what was looked at and not wanted. */
const LAZY = 500;
const REMEMBERED = 10_000;
/** Between looking for whom the latest facts concern. */
const GAP_MS = 50;

type Behind = { id: string; user_id: string; events: string[]; cursor: number; head: number };
type Seen = { stream: string; seq: number; owner_seq: number; id: string; type: string; traceparent: string | null };

/**
 * Makes deliveries of facts, for each endpoint in the order of its owner's feed, a page a commit: the deliveries and the
 * cursor's move from where it was found. A node that moves it second loses its commit, and with it its deliveries; so
 * each fact becomes a delivery once, whichever node dies when.
 */
export const createFanOut = (deps: { query: Query; dispatch: Dispatch; clock: Clock; draws: Draws; log: Log }) => {
  const { query, dispatch, clock, draws, log } = deps;
  /** How far an endpoint's facts were looked at beyond its cursor: nothing there was wanted. */
  const looked = new LRUCache<string, number>({ max: REMEMBERED });
  let owners = new Set<string>();
  let looking: Promise<void> | null = null;

  /** Commits a page. Resolves to whether it was the first to do so. */
  const commit = async ({ id, user_id, cursor }: Behind, facts: Seen[], to: number): Promise<boolean> => {
    const unit = emptyUnit(draws.id());
    unit.rows.endpoint_cursors = [{ id, from: cursor, to }];
    unit.actors = facts.map(({ id: fact, type, stream, seq, traceparent }) =>
      aDelivery(
        dispatch,
        { id: draws.id(), endpoint: id, owner: user_id, traceparent },
        { event: { id: fact, type, stream, seq }, redeliveryOf: null },
      ),
    );
    return (await dispatch.submit(unit)).kind === "won";
  };

  const advance = async (endpoint: Behind): Promise<void> => {
    const { id, user_id, events, head } = endpoint;
    let { cursor } = endpoint;
    let seen = Math.max(cursor, looked.get(id) ?? 0);
    while (seen < head && !errands.isClosed()) {
      const page = await query<Seen>("factsOfOwner", [user_id, seen, PAGE]);
      const last = page.at(-1)?.owner_seq ?? head;
      // Erased facts leave holes, at the end of the feed, too.
      const to = page.length < PAGE ? Math.max(head, last) : last;
      const wanted = page.filter(({ type }) => wants(events, type));
      if (wanted.length > 0) {
        const [row] = await query<{ open: number }>("countOpenDeliveries", [id, MOST_OPEN]);
        if ((row?.open ?? 0) + wanted.length > MOST_OPEN) return;
      }
      if (wanted.length > 0 || to - cursor >= LAZY) {
        if (!(await commit({ ...endpoint, cursor }, wanted, to))) return void looked.delete(id);
        cursor = to;
      }
      seen = to;
      looked.set(id, seen);
    }
  };

  const errands = createErrands({
    run: async (id) => {
      const [endpoint] = await query<Behind>("endpointBehind", [id]);
      if (endpoint) await advance(endpoint);
    },
    failed: (error, id) => log.warn({ err: error, webhook_id: id }, "fan-out failed; the sweep tries again"),
  });

  const look = async () => {
    await Promise.resolve();
    while (owners.size > 0 && !errands.isClosed()) {
      const wanted = [...owners];
      owners = new Set();
      const behind = await query<Behind>("endpointsBehindOf", [wanted]).catch(() => []);
      for (const { id } of behind) errands.hint(id);
      await new Promise<void>((resolve) => void clock.after(GAP_MS, resolve));
    }
    looking = null;
  };

  return {
    /** These owners have new facts. */
    hint: (those: Iterable<string>) => {
      if (errands.isClosed()) return;
      for (const owner of those) owners.add(owner);
      looking ??= look();
    },
    /** Covers crashes between a commit and its hint. */
    sweep: async () => {
      const behind = await query<Behind>("endpointsBehind");
      for (const { id, head } of behind) if ((looked.get(id) ?? 0) < head) errands.hint(id);
    },
    idle: async () => {
      while (looking) await looking;
      await errands.idle();
    },
    close: errands.close,
  };
};
