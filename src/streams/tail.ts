/**
 * The live end of each watched stream, shared by all of its clients on this node, and contiguous by
 * itself: the next seq is passed on, an older one dropped, and a later one makes it read the log for
 * what lies between (two nodes commit, so 6 can arrive before 5). Once a second one query covers all
 * watched streams, so a lost hint costs a second, never an event.
 */
import { type Observable, Subject } from "rxjs";
import type { FactLog } from "../facts/log.ts";
import type { Log } from "../log.ts";
import type { Bus, Clock, Fact } from "../ports.ts";

const LOOK_MS = 1_000;
const PAGE = 500;

export type Tail = {
  /** The latest seq passed on. */
  head(): number;
  facts: Observable<Fact>;
};

type Open = Tail & {
  subject: Subject<Fact>;
  clients: number;
  take(fact: Fact): void;
  look(head: number): void;
  close(): void;
};

export const createTails = (deps: { bus: Bus; log: FactLog; clock: Clock; logger: Log }) => {
  const open = new Map<string, Promise<Open>>();
  const ready = new Map<string, Open>();
  let cancel = () => {};
  let closed = false;

  const start = async (stream: string): Promise<Open> => {
    const subject = new Subject<Fact>();
    let head = -1;
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
          for (let rows: Fact[] = []; ; ) {
            rows = await deps.log.read(stream, head, PAGE);
            // A live fact may have moved the head while the log was read.
            for (const fact of rows) if (fact.seq === head + 1) pass(fact);
            if (rows.length < PAGE) break;
          }
        } while (missed);
      } catch (error) {
        deps.logger.warn({ err: error }, "stream could not catch up; the next look tries again");
      } finally {
        reading = false;
      }
    };

    const take = (fact: Fact) => {
      if (head < 0 || fact.seq <= head) return;
      if (fact.seq === head + 1) pass(fact);
      else void catchUp();
    };
    // Subscribed before the head is read: what is announced meanwhile is covered by the next look.
    const leave = deps.bus.subscribe(stream, take);
    try {
      head = (await deps.log.heads([stream])).get(stream) ?? 0;
    } catch (error) {
      leave();
      throw error;
    }
    void catchUp();
    return {
      head: () => head,
      facts: subject.asObservable(),
      subject,
      clients: 0,
      take,
      look: (latest) => {
        if (latest > head) void catchUp();
      },
      close: () => {
        leave();
        subject.complete();
      },
    };
  };

  const look = async () => {
    if (ready.size > 0) {
      const heads = await deps.log.heads([...ready.keys()]);
      for (const [stream, head] of heads) ready.get(stream)?.look(head);
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

  /** Joins a stream's tail. Call `leave` exactly once; the last one out closes it. */
  const join = async (stream: string): Promise<{ tail: Tail; leave(): void }> => {
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
        if (--tail.clients > 0) return;
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
      for (const tail of ready.values()) tail.close();
    },
  };
};
export type Tails = ReturnType<typeof createTails>;
