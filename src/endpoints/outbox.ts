import type { Dispatch } from "../actors/dispatch.ts";
import type { ActorChange } from "../actors/unit.ts";
import type { Query } from "../db/queries.ts";
import type { Log } from "../log.ts";
import type { Clock, Draws, Fact } from "../ports.ts";
import type { EndpointCommands } from "./commands.ts";
import { createFanOut } from "./fan-out.ts";
import { createTurns } from "./turns.ts";
import type { EndpointRow } from "./words.ts";

const SWEEP_MS = 1_000;

/**
 * From facts to webhooks, on every node: facts become deliveries, deliveries get their turns, endpoints where nothing
 * works are disabled. Told at once of what happens here; a sweep once a second finds the rest.
 */
export const createOutbox = (deps: {
  query: Query;
  dispatch: Dispatch;
  commands: Pick<EndpointCommands, "fail">;
  clock: Clock;
  draws: Draws;
  log: Log;
  /** An endpoint is disabled when everything has failed for so long, ms. */
  failingMs: number;
}) => {
  const { query, commands, clock, log } = deps;
  const fanOut = createFanOut(deps);
  const turns = createTurns(deps);
  let cancel = () => {};
  let closed = false;
  let current: Promise<void> = Promise.resolve();

  const disableFailing = async () => {
    const since = new Date(clock.now() - deps.failingMs);
    for (const row of await query<EndpointRow>("endpointsFailing", [since])) {
      if (!closed) await commands.fail(row);
    }
  };
  const failed = (error: unknown) => {
    if (!closed) log.warn({ err: error }, "the sweep of webhooks failed; the next one follows");
  };
  const tick = async () => {
    await disableFailing();
    await fanOut.sweep();
    await turns.sweep();
  };
  const run = async () => {
    await tick().catch(failed);
    if (closed) return;
    cancel = clock.after(SWEEP_MS, () => {
      current = run();
    });
  };

  return {
    start: () => {
      current = run();
    },
    /** Facts were just committed here. */
    announce: (facts: readonly Fact[]) => {
      const owners = new Set(facts.map(({ owner }) => owner));
      if (owners.size > 0) fanOut.hint(owners);
    },
    /** An actor has just been changed here. */
    changed: ({ kind, state, stream }: ActorChange) => {
      if (kind !== "delivery") return;
      if (state !== "sending") turns.hint(stream);
      if (state === "failed") current = current.then(disableFailing).catch(failed);
    },
    /** Resolves when nothing is under way here. */
    idle: async () => {
      await fanOut.idle();
      await turns.idle();
      await current;
    },
    /** Begins nothing any more. Resolves when what was begun is done. */
    close: async () => {
      closed = true;
      cancel();
      fanOut.close();
      turns.close();
      await current;
      await fanOut.idle();
      await turns.idle();
    },
  };
};
