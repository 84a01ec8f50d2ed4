/** How a run ends. `code` and `message` are the provider's own words; `outputs` are file names, else one is made. */
export type Ending =
  | { kind: "completed"; outputs?: string[] }
  | { kind: "failed"; message?: string; code?: string }
  | { kind: "moderated"; message?: string }
  | { kind: "canceled" }
  | { kind: "expired" };

export type Phase = "queued" | "running" | "ended";

/** One generation at the provider. `startsAt` and `endsAt` move when it is controlled by hand. */
export type Run<T> = {
  readonly id: string;
  readonly createdAt: number;
  startsAt: number;
  endsAt: number;
  ending: Ending;
  /** What the emulator keeps of it. */
  readonly data: T;
};

export type RunTimes = {
  /** Milliseconds since the epoch, the emulator's clock. */
  now(): number;
  /** Time in the queue; `Infinity`: until started by hand. Default 0. */
  queueMs?: number;
  /** Time of the work; `Infinity`: until finished by hand. Default 0. */
  runMs?: number;
  /** Told of every phase change that is due to a hand, or to the real clock when `timers` is on. */
  onChange?: (id: string, phase: Phase) => void;
  /** Wakes up by real timers at `startsAt` and `endsAt`. Default false: a virtual clock has none. */
  timers?: boolean;
};

const MAX_TIMER = 2 ** 31 - 1;

/** The runs of an emulator: moved on by its clock, or by hand. */
export const createRuns = <T>({ now, queueMs = 0, runMs = 0, onChange, timers = false }: RunTimes) => {
  const runs = new Map<string, Run<T>>();
  const waiting = new Set<ReturnType<typeof setTimeout>>();

  const phaseOf = (run: Run<T>): Phase => {
    const at = now();
    if (at >= run.endsAt) return "ended";
    return at >= run.startsAt ? "running" : "queued";
  };

  const wakeAt = (at: number, run: Run<T>, phase: Phase) => {
    const ms = at - now();
    if (!timers || !(ms <= MAX_TIMER)) return;
    const timer = setTimeout(
      () => {
        waiting.delete(timer);
        if (phaseOf(run) === phase) onChange?.(run.id, phase);
        else if (!Number.isFinite(at) || at > now()) wakeAt(at, run, phase);
      },
      Math.max(0, ms),
    );
    timer.unref?.();
    waiting.add(timer);
  };

  const need = (id: string): Run<T> => {
    const run = runs.get(id);
    if (!run) throw new Error(`the emulator has no run ${id}`);
    return run;
  };

  const schedule = (run: Run<T>) => {
    run.startsAt = now() + queueMs;
    run.endsAt = run.startsAt + runMs;
    wakeAt(run.startsAt, run, "running");
    wakeAt(run.endsAt, run, "ended");
  };

  return {
    /** A new run. One that is `held` stays in the queue until it is released. */
    add(id: string, data: T, ending: Ending = { kind: "completed" }, held = false): Run<T> {
      const never = Number.POSITIVE_INFINITY;
      const run: Run<T> = { id, createdAt: now(), startsAt: never, endsAt: never, ending, data };
      runs.set(id, run);
      if (!held) schedule(run);
      return run;
    },
    /** Lets a held run go its way, from now. */
    release: (id: string): void => schedule(need(id)),
    get: (id: string): Run<T> | undefined => runs.get(id),
    all: (): Run<T>[] => [...runs.values()],
    phaseOf,
    /** Takes a run out of the queue now. */
    start(id: string): void {
      const run = need(id);
      run.startsAt = Math.min(run.startsAt, now());
      if (run.endsAt <= run.startsAt) run.endsAt = Number.POSITIVE_INFINITY;
      onChange?.(id, phaseOf(run));
    },
    /** Ends a run now, in this way. One that has ended stays as it is. */
    finish(id: string, ending: Ending = { kind: "completed" }): void {
      const run = need(id);
      if (phaseOf(run) === "ended") return;
      run.ending = ending;
      run.endsAt = now();
      run.startsAt = Math.min(run.startsAt, run.endsAt);
      onChange?.(id, "ended");
    },
    remove: (id: string): boolean => runs.delete(id),
    close(): void {
      for (const timer of waiting) clearTimeout(timer);
      waiting.clear();
    },
  };
};

export type Runs<T> = ReturnType<typeof createRuns<T>>;
