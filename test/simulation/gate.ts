import type { Clock } from "../../src/ports.ts";
import type { Time } from "./time.ts";

/**
 * What stands between a node and everything that reaches it: timers, answers, messages. A dead node is reached by
 * nothing any more; one that stands still is reached by all of it, in order, when it goes on.
 */
export type Gate = {
  alive(): boolean;
  paused(): boolean;
  after: Clock["after"];
  deliver(happen: () => void): void;
  pause(ms: number): void;
  crash(): void;
  /** Calls back at the crash. */
  onCrash(listen: () => void): void;
};

/** The gate of one incarnation of a node. */
export const createGate = (time: Time): Gate => {
  const backlog: (() => void)[] = [];
  const listeners: (() => void)[] = [];
  let alive = true;
  let until = 0;

  const paused = () => alive && time.now() < until;
  const deliver = (happen: () => void) => {
    if (!alive) return;
    if (paused()) backlog.push(happen);
    else happen();
  };
  const goOn = () => {
    if (paused()) return;
    for (const happen of backlog.splice(0)) time.after(0, () => deliver(happen));
  };

  return {
    alive: () => alive,
    paused,
    deliver,
    after: (ms, fire) => {
      let canceled = false;
      const cancel = time.after(ms, () =>
        deliver(() => {
          if (!canceled) fire();
        }),
      );
      return () => {
        canceled = true;
        cancel();
      };
    },
    pause: (ms) => {
      until = Math.max(until, time.now() + ms);
      time.after(until - time.now(), goOn);
    },
    crash: () => {
      if (!alive) return;
      alive = false;
      backlog.length = 0;
      for (const listen of listeners.splice(0)) listen();
    },
    onCrash: (listen) => void listeners.push(listen),
  };
};
