/**
 * Publishes committed facts from the log to the durable bus, stream by stream, in seq order, stopping at
 * the first missing acknowledgement. A claim row lets one node at a time work on a stream; the watermark
 * `published` moves after the acknowledgements, so that a fact may be published twice (and is then
 * deduplicated by its message id) but never skipped.
 */
import type { Query } from "../db/queries.ts";
import type { Log } from "../log.ts";
import type { Bus, Clock, Fact } from "../ports.ts";
import { type FactRow, toFact } from "./log.ts";

const CLAIM_MS = 10_000;
const SWEEP_MS = 1_000;
const STREAMS = 200;
const FACTS = 200;
const BUS = "nats";

export const createRelay = (deps: { query: Query; bus: Bus; clock: Clock; node: string; log: Log }) => {
  const { query, bus, clock, node, log } = deps;
  const dirty = new Set<string>();
  let running: Promise<void> | null = null;
  let cancel = () => {};
  let closed = false;
  let incarnation: string | null = null;

  /** Another incarnation means that the bus lost its storage: everything is published again. */
  const checkIncarnation = async () => {
    const now = await bus.incarnation();
    if (now === incarnation) return;
    const [known] = await query<{ incarnation: string }>("readIncarnation", [BUS]);
    if (known && known.incarnation !== now) {
      log.warn({ known: known.incarnation, now }, "the bus lost its storage; publishing again from the start");
      await query("rewindPublished");
    }
    if (known?.incarnation !== now) await query("writeIncarnation", [BUS, now]);
    incarnation = now;
  };

  /** Publishes one page of each stream. Resolves to the streams that have more. */
  const publishPage = async (streams: string[]): Promise<string[]> => {
    const rows = await query<FactRow>("unpublishedFacts", [streams, FACTS]);
    const facts = new Map<string, Fact[]>();
    for (const fact of rows.map(toFact)) facts.set(fact.stream, [...(facts.get(fact.stream) ?? []), fact]);
    const moved: [string, number][] = [];
    const more: string[] = [];
    await Promise.all(
      [...facts].map(async ([stream, page]) => {
        const taken = await bus.publish(page);
        const last = page[taken - 1];
        if (last) moved.push([stream, last.seq]);
        if (taken === page.length && page.length === FACTS) more.push(stream);
      }),
    );
    if (moved.length > 0) await query("movePublished", [moved.map(([id]) => id), moved.map(([, seq]) => seq)]);
    return more;
  };

  const work = async (wanted: string[]) => {
    const now = clock.now();
    const claimed = await query<{ stream_id: string }>("claimStreams", [
      wanted,
      node,
      new Date(now + CLAIM_MS),
      new Date(now),
    ]);
    let streams = claimed.map(({ stream_id }) => stream_id);
    if (streams.length === 0) return;
    const held = streams;
    try {
      while (streams.length > 0 && clock.now() < now + CLAIM_MS / 2) streams = await publishPage(streams);
      for (const stream of streams) dirty.add(stream);
    } finally {
      await query("releaseStreams", [held, node]);
    }
  };

  const drain = async () => {
    await checkIncarnation();
    while (dirty.size > 0 && !closed) {
      const wanted = [...dirty].slice(0, STREAMS);
      for (const stream of wanted) dirty.delete(stream);
      await work(wanted);
    }
  };

  const run = () => {
    running ??= drain()
      .catch((error) => log.warn({ err: error }, "relay failed; the sweep tries again"))
      .finally(() => {
        running = null;
      });
    return running;
  };

  const sweep = async () => {
    incarnation = null;
    const now = new Date(clock.now());
    for (const { id } of await query<{ id: string }>("unpublishedStreams", [now, STREAMS])) dirty.add(id);
    await run();
  };

  const schedule = () => {
    if (closed) return;
    cancel = clock.after(SWEEP_MS, () => {
      sweep()
        .catch((error) => log.warn({ err: error }, "relay sweep failed"))
        .finally(schedule);
    });
  };

  return {
    start: () => schedule(),
    /** Facts of these streams were just committed. */
    hint: (streams: Iterable<string>) => {
      for (const stream of streams) dirty.add(stream);
      void run();
    },
    idle: async () => {
      while (running) await running;
    },
    close: async () => {
      cancel();
      await running;
      closed = true;
    },
  };
};
export type Relay = ReturnType<typeof createRelay>;
