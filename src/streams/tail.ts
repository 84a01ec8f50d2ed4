/**
 * The live end of each watched line, shared by all of its clients on this node, and contiguous by
 * itself: the next place is passed on, an older one dropped, and a later one makes it read the log for
 * what lies between (two nodes commit, so 6 can arrive before 5). Once a second one query covers all
 * watched streams, so a lost hint costs a second, never an event. What the log does not have between two facts, or
 * below its head, was erased before it was read here: whoever follows is told so.
 */
import { type Observable, Subject } from "rxjs";
import { placeIn } from "../bus/lines.ts";
import { Problem } from "../errors.ts";
import type { FactLog } from "../facts/log.ts";
import type { Log } from "../log.ts";
import type { Bus, Clock, Fact } from "../ports.ts";

const LOOK_MS = 1_000;

export type Tail = {
  /** The latest place passed on. */
  head(): number;
  /** `erased`: something up to the head is gone that was not passed on. */
  facts: Observable<Fact | "erased">;
};

type Open = Tail & {
  clients: number;
  look(head: number): void;
  /** It was erased: nothing will follow. */
  end(): void;
  close(): void;
};

type Deps = {
  bus: Bus;
  log: FactLog;
  clock: Clock;
  logger: Log;
  /** Facts read at once when some were missed. */
  page?: number;
};

export const createTails = ({ page = 500, ...deps }: Deps) => {
  const open = new Map<string, Promise<Open>>();
  const ready = new Map<string, Open>();
  let cancel = () => {};
  let closed = false;

  const start = async (line: string): Promise<Open> => {
    const subject = new Subject<Fact | "erased">();
    let head = -1;
    let early = false;
    let reading = false;
    let missed = false;
    /** The head of the log, as far as it was looked at. */
    let known = 0;

    const pass = (fact: Fact) => {
      head = placeIn(line, fact);
      subject.next(fact);
    };
    const skip = (to: number) => {
      if (to <= head) return;
      head = to;
      subject.next("erased");
    };

    const catchUp = async () => {
      if (reading) {
        missed = true;
        return;
      }
      reading = true;
      try {
        do {
          missed = false;
          for (let from = -1; from < head; ) {
            from = head;
            const expected = known;
            const facts = await deps.log.read(line, head, page);
            for (const fact of facts) {
              const place = placeIn(line, fact);
              skip(place - 1);
              // A live fact may have moved the head while the log was read.
              if (place === head + 1) pass(fact);
            }
            if (facts.length < page) {
              skip(expected);
              break;
            }
          }
        } while (missed);
      } catch (error) {
        deps.logger.warn({ err: error }, "stream could not catch up; the next look tries again");
      } finally {
        reading = false;
      }
    };

    const take = (fact: Fact) => {
      const place = placeIn(line, fact);
      if (head < 0) early = true;
      else if (place === head + 1) pass(fact);
      else if (place > head) void catchUp();
    };
    // Subscribed before the head is read: what is announced meanwhile is read from the log.
    const leave = deps.bus.subscribe(line, take);
    try {
      head = (await deps.log.heads([line])).get(line) ?? 0;
    } catch (error) {
      leave();
      throw error;
    }
    if (early) void catchUp();
    return {
      head: () => head,
      facts: subject.asObservable(),
      clients: 0,
      look: (latest) => {
        known = Math.max(known, latest);
        if (latest > head) void catchUp();
      },
      end: () => subject.complete(),
      close: () => {
        leave();
        subject.complete();
      },
    };
  };

  const look = async () => {
    // As they are when it is asked: who joins meanwhile was not asked for, and a first fact may come before the answer.
    const asked = [...ready].map(([line, tail]) => ({ line, tail, had: tail.head() > 0 }));
    if (asked.length === 0) return;
    const heads = await deps.log.heads(asked.map(({ line }) => line));
    for (const { line, tail, had } of asked) {
      const head = heads.get(line);
      if (head !== undefined) tail.look(head);
      else if (had) tail.end();
    }
  };
  const schedule = () => {
    if (closed) return;
    cancel = deps.clock.after(LOOK_MS, () => {
      look()
        .catch((error) => deps.logger.warn({ err: error }, "streams could not be looked at"))
        .finally(schedule);
    });
  };
  schedule();

  /** Joins a line's tail. Call `leave` exactly once; the last one out closes it. Rejects once closed. */
  const join = async (line: string): Promise<{ tail: Tail; leave(): void }> => {
    if (closed) throw new Problem("draining", undefined, { retryAfter: 1 });
    const opening = open.get(line) ?? start(line);
    open.set(line, opening);
    let tail: Open;
    try {
      tail = await opening;
    } catch (error) {
      if (open.get(line) === opening) open.delete(line);
      throw error;
    }
    // It may have been closed by the last client while this one waited for it.
    if (open.get(line) !== opening) return join(line);
    ready.set(line, tail);
    tail.clients++;
    return {
      tail,
      leave: () => {
        if (--tail.clients > 0 || closed) return;
        open.delete(line);
        ready.delete(line);
        tail.close();
      },
    };
  };

  return {
    join,
    watched: () => ready.size,
    close: () => {
      closed = true;
      cancel();
      // Also those that are still being opened. One that cannot be opened has nothing to close.
      for (const opening of open.values()) void opening.then((tail) => tail.close()).catch(() => {});
      open.clear();
      ready.clear();
    },
  };
};
export type Tails = ReturnType<typeof createTails>;
