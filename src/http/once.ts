import type { Dispatch } from "../actors/dispatch.ts";
import type { Unit, UnitOutcome } from "../actors/unit.ts";
import type { Query } from "../db/queries.ts";
import { Problem } from "../errors.ts";
import type { Idempotency } from "./idempotency.ts";

type Answer<T> = { status: number; body: T };
type Known = { body_hash: string; status: number; answer: unknown; withdrawn: boolean };

/** Throws what a client is told of a unit that was not committed. A unit without a key is never `replayed`. */
export const mustWin = ({ kind }: UnitOutcome): void => {
  if (kind === "gone") throw new Problem("not_found", "It was deleted");
  if (kind !== "won") throw new Problem("unavailable", "Too many changes at once; try again", { retryAfter: 1 });
};

/**
 * Does something once per idempotency key: the key, the answer and all that the request changes are one
 * commit, so of any number of identical requests one wins and the rest get its answer. Without a key the
 * unit is simply committed. Throws `idempotency_key_reused` when the key came with another body before, `not_found`
 * when what was made then is deleted.
 */
export const createOnce =
  ({ query, dispatch }: { query: Query; dispatch: Dispatch }) =>
  async <T>(
    scope: Idempotency | null,
    build: () => Promise<Answer<T> & { unit: Unit }>,
  ): Promise<Answer<T> & { replayed: boolean }> => {
    const replay = async (): Promise<(Answer<T> & { replayed: boolean }) | null> => {
      if (!scope) return null;
      const [known] = await query<Known>("replayOf", [scope.userId, scope.route, scope.key]);
      if (!known) return null;
      if (known.body_hash !== scope.bodyHash) throw new Problem("idempotency_key_reused");
      if (known.withdrawn) throw new Problem("not_found", "What this key was used for is deleted");
      return { status: known.status, body: known.answer as T, replayed: true };
    };
    // A replay must not depend on what has changed since, e.g. that the option still exists.
    const before = await replay();
    if (before) return before;
    const { unit, status, body } = await build();
    if (scope) unit.idempotency = { ...scope, status, answer: body };
    const outcome = await dispatch.submit(unit);
    const meanwhile = outcome.kind === "replayed" ? await replay() : null;
    if (meanwhile) return meanwhile;
    mustWin(outcome);
    return { status, body, replayed: false };
  };
export type Once = ReturnType<typeof createOnce>;
