/**
 * Publishes committed facts from the log to the durable bus, stream by stream, in seq order, stopping at
 * the first missing acknowledgement. A claim row lets one node at a time work on a stream; the watermark
 * `published` moves after the acknowledgements, so that a fact may be published twice (and is then
 * deduplicated by its message id) but never skipped.
 */
import type { Query } from "../db/queries.ts";
import { isContention } from "../db/sqlstate.ts";
import type { Log } from "../log.ts";
import type { Bus, Clock, Fact } from "../ports.ts";
import { type FactRow, toFact } from "./log.ts";
import { CLAIM_MS } from "./renewal.ts";
import { createRewind } from "./rewind.ts";

/** Nothing is sent later than this after a claim: the bus may take as long again to answer. */
const SEND_MS = CLAIM_MS / 2;
const SWEEP_MS = 1_000;
const CLOSE_MS = 3_000;
const STREAMS = 200;
const FACTS = 200;
/** Streams remembered from hints. The sweep finds the others in the table. */
const MOST_DIRTY = 10_000;

export type Lag = { facts: number; seconds: number };

export const createRelay = (deps: {
  query: Query;
  bus: Bus;
  clock: Clock;
  node: string;
  log: Log;
  /** Told how many facts of a stream the bus has taken. */
  observe?(published: number): void;
}) => {
  const { query, bus, clock, node, log } = deps;
  const dirty = new Set<string>();
  let running: Promise<void> | null = null;
  let cancel = () => {};
  let closing = false;
  let stopped = false;
  const rewindIfLost = createRewind({ query, bus, log });
  /** False: ask before the next page, also when there is none. Always in turn with the publishing. */
  let checked = false;
  /** Whether the table may have streams that nobody hinted at. */
  let looking = false;
  /** It failed: hints wait for the sweep, so that an outage costs one try a second. */
  let resting = false;

  /** Publishes one stream's page. Resolves to how many facts were taken, and whether the bus refused one. */
  const publishStream = async (page: Fact[], deadline: number) => {
    for (const [taken, fact] of page.entries()) {
      if (stopped || clock.now() >= deadline) return { taken, refused: false };
      if ((await bus.publish([fact])) === 0) return { taken, refused: true };
    }
    return { taken: page.length, refused: false };
  };

  /** Who keeps one stream locked keeps only that one's watermark where it is. */
  const move = async (streams: string[], seqs: number[]) => {
    try {
      await query("movePublished", [streams, seqs]);
    } catch (error) {
      if (!isContention(error)) throw error;
      await query("moveUnlocked", [streams, seqs]);
    }
  };

  /** Publishes one page of each stream. Resolves to the streams that have more and may go on. */
  const publishPage = async (streams: string[], deadline: number): Promise<string[]> => {
    const facts = (await query<FactRow>("unpublishedFacts", [streams, FACTS])).map(toFact);
    const moved: [stream: string, seq: number][] = [];
    const more: string[] = [];
    await Promise.all(
      [...Map.groupBy(facts, ({ stream }) => stream)].map(async ([stream, page]) => {
        const { taken, refused } = await publishStream(page, deadline);
        const last = page[taken - 1];
        if (last) moved.push([stream, last.seq]);
        deps.observe?.(taken);
        if (refused) {
          checked = false;
          looking = false;
        } else if (taken < page.length || page.length === FACTS) more.push(stream);
      }),
    );
    await move(
      moved.map(([stream]) => stream),
      moved.map(([, seq]) => seq),
    );
    return more;
  };

  const work = async (wanted: string[]) => {
    const now = clock.now();
    const parameters = [wanted, node, new Date(now + CLAIM_MS), new Date(now)];
    const claimed = await query<{ stream_id: string }>("claimStreams", parameters);
    if (claimed.length === 0) return;
    const held = claimed.map(({ stream_id }) => stream_id);
    try {
      let streams = held;
      while (streams.length > 0 && !stopped && clock.now() < now + SEND_MS) {
        streams = await publishPage(streams, now + SEND_MS);
      }
      for (const stream of streams) dirty.add(stream);
    } finally {
      await query("releaseStreams", [held, node]);
    }
  };

  /** Adds a page of what the table has and nobody hinted at. Resolves to whether there may be more. */
  const look = async (): Promise<boolean> => {
    const found = await query<{ id: string }>("unpublishedStreams", [new Date(clock.now()), STREAMS]);
    for (const { id } of found) dirty.add(id);
    return found.length === STREAMS;
  };

  const drain = async () => {
    // `running` must be set before it is cleared, also when there is nothing to do.
    await Promise.resolve();
    try {
      do {
        if (!checked) {
          await rewindIfLost();
          checked = true;
        }
        if (looking && dirty.size < STREAMS) looking = await look();
        const wanted = [...dirty].slice(0, STREAMS);
        for (const stream of wanted) dirty.delete(stream);
        if (wanted.length > 0) await work(wanted);
      } while ((dirty.size > 0 || looking) && !stopped);
    } catch (error) {
      checked = false;
      resting = true;
      log.warn({ err: error }, "relay failed; the sweep tries again");
    } finally {
      // In the same turn as the last look at `dirty`, so that no hint falls between.
      running = null;
    }
  };
  const run = () => (running ??= drain());

  const schedule = () => {
    if (closing) return;
    cancel = clock.after(SWEEP_MS, () => {
      checked = false;
      looking = true;
      resting = false;
      void run();
      schedule();
    });
  };
  const idle = async () => {
    while (running) await running;
  };

  return {
    start: () => schedule(),
    /** Facts of these streams were just committed. */
    hint: (streams: Iterable<string>) => {
      if (stopped) return;
      for (const stream of streams) if (dirty.size < MOST_DIRTY) dirty.add(stream);
      if (!resting) void run();
    },
    /** Facts that are committed but not yet published, of all nodes, and the age of the oldest of them, s. */
    lag: async (): Promise<Lag> => {
      const [found] = await query<{ lag: number; seconds: number }>("countUnpublished");
      return { facts: found?.lag ?? 0, seconds: Math.max(0, found?.seconds ?? 0) };
    },
    /** Resolves when nothing is being published. */
    idle,
    /** Publishes what it knows of for up to 3 s more; the rest is found by another node, or the next start. */
    close: async () => {
      closing = true;
      cancel();
      const giveUp = clock.after(CLOSE_MS, () => {
        stopped = true;
      });
      await idle();
      stopped = true;
      giveUp();
    },
  };
};
export type Relay = ReturnType<typeof createRelay>;
