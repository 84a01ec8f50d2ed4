/** Waiting for the end of something, in a request, by the feed that tells of it on whichever node it ends. */
import { Subscription } from "rxjs";
import type { Clock } from "../ports.ts";
import type { Feed } from "./feed.ts";
import type { Source } from "./source.ts";

/** Resolves to whether its last fact, or a reset, comes in `ms`. */
const endComes = (
  feed: Feed,
  clock: Clock,
  { stream, isLast }: Source,
  cursor: number,
  ms: number,
  stop: AbortSignal,
) => {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const giveUp = () => resolve(false);
  const following = new Subscription();
  following.add(clock.after(ms, giveUp));
  stop.addEventListener("abort", giveUp, { once: true });
  following.add(() => stop.removeEventListener("abort", giveUp));
  if (stop.aborted) giveUp();
  following.add(
    feed(stream, { cursor, filter: isLast }).subscribe({ next: () => resolve(true), error: giveUp, complete: giveUp }),
  );
  return promise.finally(() => following.unsubscribe());
};

export const createWaits = (deps: { feed: Feed; clock: Clock; perUser: number; most: number }) => {
  const { feed, clock, perUser, most } = deps;
  const byUser = new Map<string, number>();
  const closing = new AbortController();
  let all = 0;

  const enter = (userId: string): (() => void) | null => {
    const own = byUser.get(userId) ?? 0;
    if (closing.signal.aborted || own >= perUser || all >= most) return null;
    byUser.set(userId, own + 1);
    all++;
    return () => {
      const left = (byUser.get(userId) ?? 1) - 1;
      if (left > 0) byUser.set(userId, left);
      else byUser.delete(userId);
      all--;
    };
  };

  return {
    /**
     * The whole of a source at its end; null when that does not come in `ms`, when `left` aborts, or when too many wait
     * already. What is waited for goes on by itself.
     */
    untilEnd: async (userId: string, source: Source, ms: number, left: AbortSignal): Promise<unknown> => {
      const leave = enter(userId);
      if (!leave) return null;
      try {
        const { cursor, data, done } = await source.snapshot();
        if (done) return data;
        const stop = AbortSignal.any([left, closing.signal]);
        if (!(await endComes(feed, clock, source, cursor, ms, stop))) return null;
        const then = await source.snapshot();
        return then.done ? then.data : null;
      } finally {
        leave();
      }
    },
    waiting: () => all,
    /** Nobody waits any more. */
    close: () => closing.abort(),
  };
};
export type Waits = ReturnType<typeof createWaits>;
