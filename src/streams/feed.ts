/**
 * One client's view of a stream, gap-free from its cursor, in three phases:
 *
 *   backfill   the log is read page by page, at the client's pace
 *   cutover    the tail's head is where the backfill ended: nothing lies between
 *   live       the tail's facts, each exactly the next
 *
 * The tail is joined before the log is read, so nothing falls between the phases.
 */
import { Observable, type Subscriber } from "rxjs";
import type { FactLog } from "../facts/log.ts";
import type { Fact } from "../ports.ts";
import type { Tails } from "./tail.ts";

/** `reset`: the cursor is beyond the head or was pruned; start over from a fresh snapshot at `cursor` or later. */
export type FeedItem = { kind: "fact"; fact: Fact } | { kind: "reset"; cursor: number };

export type FeedOptions = {
  /** Seq of the last event seen; null starts now. */
  cursor: number | null;
  /** Which facts the client wants. Contiguity is checked before. */
  filter?: (fact: Fact) => boolean;
  /** Resolves when the client can take another fact of the backfill. */
  pace?: () => Promise<void>;
};

/** `page`: facts read at once in a backfill. */
export const createFeed =
  ({ tails, log, page = 200 }: { tails: Tails; log: FactLog; page?: number }) =>
  (stream: string, { cursor, filter = () => true, pace = async () => {} }: FeedOptions): Observable<FeedItem> =>
    new Observable((client: Subscriber<FeedItem>) => {
      let leave = () => {};
      const run = async () => {
        const joined = await tails.join(stream);
        if (client.closed) return joined.leave();
        leave = joined.leave;
        const { tail } = joined;
        let seen = cursor ?? tail.head();

        const give = (fact: Fact) => {
          seen = fact.seq;
          if (filter(fact)) client.next({ kind: "fact", fact });
        };
        const reset = () => {
          seen = tail.head();
          client.next({ kind: "reset", cursor: seen });
        };

        // Our own tail may lag behind a commit of this very moment; the table knows.
        if (seen > tail.head() && seen > ((await log.heads([stream])).get(stream) ?? 0)) reset();
        while (!client.closed && seen < tail.head()) {
          const facts = await log.read(stream, seen, page);
          // Pruned, before the client came or while it took its time.
          if (facts[0]?.seq !== seen + 1) reset();
          else
            for (const fact of facts) {
              if (client.closed) return;
              give(fact);
              await pace();
            }
        }
        if (client.closed) return;
        client.add(
          tail.facts.subscribe({
            next: (fact) => {
              if (fact.seq === seen + 1) give(fact);
              else if (fact.seq > seen) client.error(new Error(`the tail of ${stream} skipped ${seen + 1}`));
            },
            complete: () => client.complete(),
          }),
        );
      };
      run().catch((error) => client.error(error));
      return () => leave();
    });
export type Feed = ReturnType<typeof createFeed>;
