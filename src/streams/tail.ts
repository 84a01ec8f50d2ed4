/**
 * The live end of each watched stream, shared by all of its clients on this node, and contiguous by
 * itself: the next seq is passed on, an older one dropped, and a later one makes it read the log for
 * what lies between (two nodes commit, so 6 can arrive before 5). Once a second one query covers all
 * watched streams, so a lost hint costs a second, never an event.
 */
import { type Observable, Subject } from "rxjs";
import { Problem } from "../errors.ts";
import type { FactLog } from "../facts/log.ts";
import type { Log } from "../log.ts";
import type { Bus, Clock, Fact } from "../ports.ts";

const LOOK_MS = 1_000;

export type Tail = {
  /** The latest seq passed on. */
  head(): number;
  facts: Observable<Fact>;
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

  const start = async (stream: string): Promise<Open> => {
    const subject = new Subject<Fact>();
    let head = -1;
    let early = false;
    let reading = false;
    let missed = false;

    const pass = (fact: Fact) => {
      head = fact.seq;
      subject.next(fact);
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
            const facts = await deps.log.read(stream, head, page);
            // A live fact may have moved the head while the log was read.
            for (const fact of facts) if (fact.seq === head + 1) pass(fact);
            if (facts.length < page) break;
          }
        } while (missed);
      } catch (error) {
        deps.logger.warn({ err: error }, "stream could not catch up; the next look tries again");
      } finally {
        reading = false;
      }
    };

    const take = (fact: Fact) => {
      if (head < 0) early = true;
      else if (fact.seq === head + 1) pass(fact);
      else if (fact.seq > head) void catchUp();
    };
    // Subscribed before the head is read: what is announced meanwhile is read from the log.
    const leave = deps.bus.subscribe(stream, take);
    try {
      head = (await deps.log.heads([stream])).get(stream) ?? 0;
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
    if (ready.size > 0) {
      const heads = await deps.log.heads([...ready.keys()]);
      for (const [stream, tail] of ready) {
        const head = heads.get(stream);
        if (head !== undefined) tail.look(head);
        else if (tail.head() > 0) tail.end();
      }
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

  /** Joins a stream's tail. Call `leave` exactly once; the last one out closes it. Rejects once closed. */
  const join = async (stream: string): Promise<{ tail: Tail; leave(): void }> => {
    if (closed) throw new Problem("draining", undefined, { retryAfter: 1 });
    const opening = open.get(stream) ?? start(stream);
    open.set(stream, opening);
    let tail: Open;
    try {
      tail = await opening;
    } catch (error) {
      if (open.get(stream) === opening) open.delete(stream);
      throw error;
    }
    // It may have been closed by the last client while this one waited for it.
    if (open.get(stream) !== opening) return join(stream);
    ready.set(stream, tail);
    tail.clients++;
    return {
      tail,
      leave: () => {
        if (--tail.clients > 0 || closed) return;
        open.delete(stream);
        ready.delete(stream);
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
