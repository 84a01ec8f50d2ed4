import process from "node:process";

const NAMES = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** Ctrl-C reaches us from the terminal, from npm and from the launcher: one wish, up to three signals. */
const SAME_WISH_MS = 1000;
const PARENT_CHECK_MS = 500;

/** Wishes of the outside world that this process end. */
export type StopWishes = {
  /** Aborted by the first signal, or when the launcher that should pass signals on was killed. */
  first: AbortSignal;
  /** Calls back when a later signal says that the operator will not wait. */
  again(listener: () => void): void;
};

/** Listens to SIGINT, SIGTERM and SIGHUP for the rest of the process's life. */
export const listenToSignals = (): StopWishes => {
  const first = new AbortController();
  const impatient: (() => void)[] = [];
  let since = Number.POSITIVE_INFINITY;
  const wish = (reason: string) => {
    if (!first.signal.aborted) {
      since = performance.now();
      first.abort(reason);
    } else if (performance.now() - since > SAME_WISH_MS) for (const listener of impatient) listener();
  };
  for (const name of NAMES) process.on(name, () => wish(name));
  const parent = process.ppid;
  if (process.env.DARKROOM_LAUNCHER === String(parent)) {
    const timer = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(timer);
      wish("the launcher is gone");
    }, PARENT_CHECK_MS);
    timer.unref();
  }
  return { first: first.signal, again: (listener) => void impatient.push(listener) };
};
