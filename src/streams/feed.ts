/**
 * One client's view of a line, gap-free from its cursor, in three phases:
 *
 *   backfill   the log is read page by page, at the client's pace
 *   cutover    the tail's head is where the backfill ended: nothing lies between
 *   live       the tail's facts, each exactly the next
 *
 * The tail is joined before the log is read, so nothing falls between the phases.
 */
import { Observable, type Subscriber } from "rxjs";
import { placeIn } from "../bus/lines.ts";
import type { FactLog } from "../facts/log.ts";
import type { Fact } from "../ports.ts";
import type { Tails } from "./tail.ts";

/** `reset`: the cursor is beyond the head or what follows was erased; start over from a snapshot at `cursor` or later. */
export type FeedItem = { kind: "fact"; fact: Fact } | { kind: "reset"; cursor: number };

export type FeedOptions = {
  /** Place of the last event seen; null starts now. */
  cursor: number | null;
  /** Which facts the client wants. Contiguity is checked before. */
  filter?: (fact: Fact) => boolean;
  /** Resolves when the client can take another fact of the backfill. */
  pace?: () => Promise<void>;
};

/** `page`: facts read at once in a backfill. */
export const createFeed =
  ({ tails, log, page = 200 }: { tails: Tails; log: FactLog; page?: number }) =>
  (line: string, { cursor, filter = () => true, pace = async () => {} }: FeedOptions): Observable<FeedItem> =>
    new Observable((client: Subscriber<FeedItem>) => {
      let leave = () => {};
      const run = async () => {
        const joined = await tails.join(line);
        if (client.closed) return joined.leave();
        leave = joined.leave;
        const { tail } = joined;
        let seen = cursor ?? tail.head();

        const isNext = (fact: Fact) => placeIn(line, fact) === seen + 1;
        const give = (fact: Fact) => {
          seen = placeIn(line, fact);
          if (filter(fact)) client.next({ kind: "fact", fact });
        };
        const reset = () => {
          seen = tail.head();
          client.next({ kind: "reset", cursor: seen });
        };

        // Our own tail may lag behind a commit of this very moment; the table knows.
        if (seen > tail.head() && seen > ((await log.heads([line])).get(line) ?? 0)) reset();
        while (!client.closed && seen < tail.head()) {
          const facts = await log.read(line, seen, page);
          if (facts.length === 0) reset();
          for (const fact of facts) {
            if (client.closed) return;
            // Erased, before the client came or while it took its time. Beyond its head the tail tells that.
            if (!isNext(fact)) {
              if (seen < tail.head()) reset();
              break;
            }
            give(fact);
            await pace();
          }
        }
        if (client.closed) return;
        client.add(
          tail.facts.subscribe({
            next: (fact) => {
              if (fact === "erased") {
                // Who came from another node may have seen it there.
                if (seen < tail.head()) reset();
              } else if (isNext(fact)) give(fact);
              else if (placeIn(line, fact) > seen) client.error(new Error(`the tail of ${line} skipped ${seen + 1}`));
            },
            complete: () => client.complete(),
          }),
        );
      };
      run().catch((error) => client.error(error));
      return () => leave();
    });
export type Feed = ReturnType<typeof createFeed>;
