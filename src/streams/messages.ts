import { concat, concatMap, from, map, type Observable, of, takeWhile } from "rxjs";
import type { Fact } from "../ports.ts";
import type { Envelopes } from "./envelope.ts";
import type { Feed } from "./feed.ts";

/** One message to a client, before its transport frames it. `id` is absent for what is not in the log. */
export type Message = { id?: number; event: string; json: string };

export type MessagesOptions = {
  stream: string;
  cursor: number | null;
  filter?: (fact: Fact) => boolean;
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
  ({ stream, cursor, filter, pace, snapshot, greet, isLast = () => false }: MessagesOptions): Observable<Message> => {
    const fresh = async (event: string) => {
      const { cursor: at, data, done = false } = await snapshot();
      return { message: { id: at, event, json: JSON.stringify({ cursor: at, data }) }, last: done };
    };
    const follow = (after: number | null) =>
      feed(stream, { cursor: after, filter, pace }).pipe(
        concatMap(async (item) => {
          if (item.kind === "reset") return fresh("reset");
          const { seq, event, json } = await envelopes(item.fact);
          return { message: { id: seq, event, json }, last: isLast(item.fact) };
        }),
        takeWhile(({ last }) => !last, true),
        map(({ message }) => message),
      );
    if (cursor !== null || !greet) return follow(cursor);
    return from(fresh("snapshot")).pipe(
      concatMap(({ message, last }) => (last ? of(message) : concat(of(message), follow(message.id)))),
    );
  };
export type Messages = ReturnType<typeof createMessages>;
