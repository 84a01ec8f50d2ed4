import { Problem } from "../errors.ts";

/**
 * One line per actor: its commands run one after another, different actors in parallel. A wake that
 * is already waiting in line is not added twice. Who comes up later than `patienceMs`, because an actor
 * stands still, is turned away: whoever comes after has waited as long.
 */
export const createMailbox = ({ patienceMs, monotonic }: { patienceMs: number; monotonic(): number }) => {
  type Task = { wake: string | null; run(): void; result: Promise<unknown> };
  const lines = new Map<string, Task[]>();

  const advance = (id: string, line: Task[]) => {
    const next = line[0];
    if (next) next.run();
    else lines.delete(id);
  };

  return {
    post: <T>(id: string, event: { type: string }, work: () => Promise<T>): Promise<T> => {
      const wake = event.type === "wake" ? JSON.stringify(event) : null;
      const line = lines.get(id) ?? [];
      // The one at the head is already running: it may have read what this wake is about.
      const same = wake === null ? undefined : line.slice(1).find((task) => task.wake === wake);
      if (same) return same.result as Promise<T>;
      const came = monotonic();
      const begin = () => {
        if (monotonic() - came > patienceMs) throw new Problem("unavailable", undefined, { retryAfter: 1 });
        return work();
      };
      let run = () => {};
      const result = new Promise<void>((start) => {
        run = start;
      })
        .then(begin)
        .finally(() => {
          line.shift();
          advance(id, line);
        });
      line.push({ wake, run, result });
      if (line.length === 1) {
        lines.set(id, line);
        run();
      }
      return result;
    },
    /** Resolves when no actor has a command in line. */
    idle: async () => {
      while (lines.size > 0) {
        await Promise.allSettled([...lines.values()].flatMap((line) => line.map(({ result }) => result)));
      }
    },
  };
};
