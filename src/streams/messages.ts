import {
  concat,
  concatMap,
  defer,
  EMPTY,
  filter as only,
  finalize,
  from,
  map,
  mergeMap,
  Observable,
  of,
  takeWhile,
  tap,
} from "rxjs";
import { ownerOf, placeIn } from "../bus/lines.ts";
import type { Fact } from "../ports.ts";
import type { Envelopes } from "./envelope.ts";
import type { Feed, FeedItem } from "./feed.ts";
import type { Pulse } from "./pulse.ts";

/** Live facts of one client that wait to be rendered; beyond it the client comes back with its cursor. */
const MOST_BEHIND = 1_000;
/** Subjects of which it is known how new the latest fact is that went out; a look takes far less time than these. */
const MOST_RECENT = 64;

/** One message to a client, before its transport frames it. `id` is absent for what is not in the log. */
export type Message = { id?: number; event: string; json: string };

export type MessagesOptions = {
  /** The line of facts: a stream's id, or an owner's line. */
  stream: string;
  cursor: number | null;
  filter?: (fact: Fact) => boolean;
  /** Whose pulses alone are wanted. */
  subject?: string;
  /** Resolves when the client can take another message of the backfill. */
  pace?: () => Promise<void>;
  /** Sent first to who comes without a cursor, if `greet`, and with every reset. `done`: nothing will follow. */
  snapshot: () => Promise<{ cursor: number; data: unknown; done?: boolean }>;
  greet: boolean;
  /** Whether the messages end after a fact; after one that deletes what the stream is about they do anyway. */
  isLast?: (fact: Fact) => boolean;
};

/** Sends what comes aside as long as the main messages go on. */
const beside = (main: Observable<Message>, aside: Observable<Message>): Observable<Message> =>
  new Observable((client) => {
    client.add(aside.subscribe({ next: (message) => client.next(message) }));
    client.add(main.subscribe(client));
  });

/** A feed as messages, rendered in order; beside them, without ids, the pulses of the stream. */
export const createMessages =
  ({
    feed,
    envelopes,
    pulses = () => EMPTY,
  }: {
    feed: Feed;
    envelopes: Envelopes;
    pulses?: (stream: string) => Observable<Pulse>;
  }) =>
  (options: MessagesOptions): Observable<Message> => {
    const { stream, cursor, subject, pace = async () => {}, snapshot, greet } = options;
    /** What the stream is about, e.g. its chat, was deleted: all who follow it are told, and nothing comes after. */
    const isGone = ({ type, actorId }: Fact): boolean => type.endsWith(".deleted") && actorId === stream;
    const filter = (fact: Fact) => isGone(fact) || (options.filter?.(fact) ?? true);
    const isLast = (fact: Fact) => isGone(fact) || (options.isLast?.(fact) ?? false);

    const fresh = async (event: string) => {
      const { cursor: at, data, done = false } = await snapshot();
      return { message: { id: at, event, json: JSON.stringify({ cursor: at, data }) }, last: done };
    };

    const follow = (after: number | null) =>
      defer(() => {
        let behind = 0;
        let covered = after ?? 0;
        /** The place of the latest snapshot that came with a reset. */
        let whole = -1;
        const latest = new Map<string, number>();
        /** A pulse must not undo what a fact or snapshot has told since: a job that ended is not going on. */
        const isNews = ({ subject: about, asOf }: Pulse) => asOf >= (latest.get(about) ?? covered);
        const remember = ({ actorId }: Fact, place: number) => {
          latest.delete(actorId);
          latest.set(actorId, place);
          for (const oldest of latest.keys()) if (latest.size > MOST_RECENT) latest.delete(oldest);
        };
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
            // What was erased up to here is not in the snapshot that went out last.
            if (item.cursor <= whole) return null;
            const made = await fresh("reset");
            covered = made.message.id;
            whole = covered;
            return made;
          }
          // The snapshot was made after the reset and may hold more than the tail had heard of.
          const place = placeIn(stream, item.fact);
          if (place <= covered) return null;
          const rendered = await envelopes(item.fact);
          remember(item.fact, place);
          return { message: { id: place, ...rendered }, last: isLast(item.fact) };
        };
        const facts = feed(stream, { cursor: after, filter, pace: ready }).pipe(
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
        // Whoever follows all that they own is not told where each of a thousand jobs stands.
        const aside = (ownerOf(stream) === null ? pulses(stream) : EMPTY).pipe(
          only((pulse) => (subject === undefined || pulse.subject === subject) && isNews(pulse)),
          map(({ event, json }) => ({ event, json })),
        );
        return beside(facts, aside);
      });

    if (cursor !== null || !greet) return follow(cursor);
    return from(fresh("snapshot")).pipe(
      concatMap(({ message, last }) => (last ? of(message) : concat(of(message), follow(message.id)))),
    );
  };
export type Messages = ReturnType<typeof createMessages>;
