import { concat, concatMap, defer, finalize, from, map, mergeMap, type Observable, of, takeWhile, tap } from "rxjs";
import type { Fact } from "../ports.ts";
import type { Envelopes } from "./envelope.ts";
import type { Feed, FeedItem } from "./feed.ts";

/** Live facts of one client that wait to be rendered; beyond it the client comes back with its cursor. */
const MOST_BEHIND = 1_000;

/** One message to a client, before its transport frames it. `id` is absent for what is not in the log. */
export type Message = { id?: number; event: string; json: string };

export type MessagesOptions = {
  stream: string;
  cursor: number | null;
  filter?: (fact: Fact) => boolean;
  /** Resolves when the client can take another message of the backfill. */
  pace?: () => Promise<void>;
  /** Sent first to who comes without a cursor, if `greet`, and with every reset. `done`: nothing will follow. */
  snapshot: () => Promise<{ cursor: number; data: unknown; done?: boolean }>;
  greet: boolean;
  /** Whether a fact is the last of its stream: the messages end after it. */
  isLast?: (fact: Fact) => boolean;
};

/** A feed as messages, rendered in order. */
export const createMessages =
  ({ feed, envelopes }: { feed: Feed; envelopes: Envelopes }) =>
  (options: MessagesOptions): Observable<Message> => {
    const { stream, cursor, filter, pace = async () => {}, snapshot, greet, isLast = () => false } = options;

    const fresh = async (event: string) => {
      const { cursor: at, data, done = false } = await snapshot();
      return { message: { id: at, event, json: JSON.stringify({ cursor: at, data }) }, last: done };
    };

    const follow = (after: number | null) =>
      defer(() => {
        let behind = 0;
        let covered = 0;
        let sent = () => {};
        /** The transport sees only what was rendered, so the backfill waits for that first. */
        const ready = async () => {
          if (behind > 0)
            await new Promise<void>((resolve) => {
              sent = resolve;
            });
          await pace();
        };
        const make = async (item: FeedItem) => {
          if (item.kind === "reset") {
            const made = await fresh("reset");
            covered = made.message.id;
            return made;
          }
          // The snapshot was made after the reset and may hold more than the tail had heard of.
          if (item.fact.seq <= covered) return null;
          const { seq, event, json } = await envelopes(item.fact);
          return { message: { id: seq, event, json }, last: isLast(item.fact) };
        };
        return feed(stream, { cursor: after, filter, pace: ready }).pipe(
          tap(() => {
            if (++behind > MOST_BEHIND) throw new Error(`more than ${MOST_BEHIND} facts wait to be rendered`);
          }),
          concatMap(make),
          tap(() => {
            if (--behind === 0) sent();
          }),
          mergeMap((made) => (made ? [made] : [])),
          takeWhile(({ last }) => !last, true),
          map(({ message }) => message),
          finalize(() => sent()),
        );
      });

    if (cursor !== null || !greet) return follow(cursor);
    return from(fresh("snapshot")).pipe(
      concatMap(({ message, last }) => (last ? of(message) : concat(of(message), follow(message.id)))),
    );
  };
export type Messages = ReturnType<typeof createMessages>;
