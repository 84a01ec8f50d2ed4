import { LRUCache } from "lru-cache";
import type { Backoff } from "../../machines/backoff.ts";
import { type Bracket, type Distribution, estimate } from "../../machines/distribution.ts";
import { planPolls } from "../../machines/schedule.ts";
import type { Query } from "../db/queries.ts";
import type { Log } from "../log.ts";
import type { Clock } from "../ports.ts";

/** Generations that are remembered of each model and tool: the latest. */
const KEPT = 300;
/** With fewer, nothing is claimed to be known. */
const ENOUGH = 20;
const FRESH_MS = 60_000;
const MODELS = 500;

/** What the latest generations of a model took, and where polls of the next are best placed. */
export type Known = { took: Distribution; schedule: number[] };

type Entry = { known: Known | null; at: number; reading: Promise<void> | null };

/**
 * Completion times by model and tool, from the log: nothing is written for it. In memory they are read anew after a
 * minute, when somebody asks; until then, and while the database does not answer, what was known stays.
 */
export const createHistory = (deps: { query: Query; clock: Clock; pace: Backoff; log: Log }) => {
  const entries = new LRUCache<string, Entry>({ max: MODELS });

  const read = async (entry: Entry, model: string, tool: string) => {
    entry.at = deps.clock.now();
    try {
      const found = await deps.query<Bracket>("completions", [model, tool, KEPT]);
      const brackets = found.filter(({ after, by }) => after >= 0 && by > after);
      if (brackets.length < ENOUGH) return;
      const took = estimate(brackets);
      entry.known = { took, schedule: planPolls(took, deps.pace) };
    } catch (error) {
      deps.log.warn({ err: error, model_key: model, tool_type: tool }, "history could not be read");
    }
  };

  const entryOf = (model: string, tool: string): Entry => {
    const key = `${model}/${tool}`;
    const entry = entries.get(key) ?? { known: null, at: Number.NEGATIVE_INFINITY, reading: null };
    entries.set(key, entry);
    if (entry.reading === null && deps.clock.now() - entry.at >= FRESH_MS) {
      entry.reading = read(entry, model, tool).finally(() => {
        entry.reading = null;
      });
    }
    return entry;
  };

  return {
    /** What is known at this moment; null for too little. Never waits: the next to ask gets what is read meanwhile. */
    peek: (model: string, tool: string): Known | null => entryOf(model, tool).known,
    /** What is known; waits for the log when nothing is. Never rejects. */
    load: async (model: string, tool: string): Promise<Known | null> => {
      const entry = entryOf(model, tool);
      if (entry.known === null) await entry.reading;
      return entry.known;
    },
  };
};
export type History = ReturnType<typeof createHistory>;
