import type { Dispatch } from "../actors/dispatch.ts";
import { entomb } from "../actors/tombstone.ts";
import { emptyUnit, type Live, type SliceFact } from "../actors/unit.ts";
import { mustWin } from "../http/once.ts";
import type { Caller } from "../http/principal.ts";
import type { Clock, Draws } from "../ports.ts";

export type Removed = {
  subject: Live;
  /** What the subject's stream is told. */
  fact: SliceFact;
  /** The live jobs that go with it. */
  jobs(): Promise<{ id: string }[]>;
  /** What it belongs to, and must not have been deleted either. */
  within?: Live[];
};

/** Deletes with a tombstone: 404 from now on. Live jobs are canceled, the cancel already in the commit's inbox. */
export const createRemoval =
  ({ dispatch, clock, draws }: { dispatch: Dispatch; clock: Clock; draws: Draws }) =>
  async (
    { traceparent }: Pick<Caller, "traceparent">,
    { subject, fact, jobs, within = [] }: Removed,
  ): Promise<void> => {
    const unit = emptyUnit(draws.id(), traceparent);
    entomb(unit, subject, clock.now());
    unit.live.push(...within);
    unit.facts.push(fact);
    const event = { type: "cancel", traceparent };
    unit.tells = (await jobs()).map(({ id }) => ({ source: subject.id, to: id, event }));
    mustWin(await dispatch.submit(unit));
    // A job that was created between the read and the commit; after the tombstone there are no more.
    const told = new Set(unit.tells.map(({ to }) => to));
    const late = (await jobs()).filter(({ id }) => !told.has(id));
    await Promise.allSettled(late.map(({ id }) => dispatch.send(id, { type: "cancel" }, traceparent)));
  };
export type Remove = ReturnType<typeof createRemoval>;
