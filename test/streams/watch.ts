import type { Fact } from "../../src/ports.ts";
import type { Feed, FeedItem, FeedOptions } from "../../src/streams/feed.ts";
import { until } from "./until.ts";

export type Watched = {
  items: FeedItem[];
  facts(): Fact[];
  /** Seqs of the facts, in the order in which they came. */
  seqs(): number[];
  error(): Error | undefined;
  done(): boolean;
  /** Resolves when the last fact seen is `seq`. */
  reached(seq: number): Promise<void>;
  leave(): void;
};

/** A client of a feed that keeps all that it is given. */
export const watch = (feed: Feed, stream: string, options: FeedOptions): Watched => {
  const items: FeedItem[] = [];
  let error: Error | undefined;
  let done = false;
  const subscription = feed(stream, options).subscribe({
    next: (item) => void items.push(item),
    error: (thrown) => {
      error = thrown;
    },
    complete: () => {
      done = true;
    },
  });
  const facts = () => items.flatMap((item) => (item.kind === "fact" ? [item.fact] : []));
  const seqs = () => facts().map(({ seq }) => seq);
  return {
    items,
    facts,
    seqs,
    error: () => error,
    done: () => done,
    reached: (seq) => until(() => seqs().at(-1) === seq),
    leave: () => subscription.unsubscribe(),
  };
};

export const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n);
