import type { Dispatch } from "../actors/dispatch.ts";
import type { Unit, UnitOutcome } from "../actors/unit.ts";
import type { Query } from "../db/queries.ts";
import { Problem } from "../errors.ts";
import type { Idempotency } from "./idempotency.ts";

type Answer<T> = { status: number; body: T };
type Known = { body_hash: string; status: number; answer: unknown };

/** Throws what a client is told of a unit that was not committed. A unit without a key is never `replayed`. */
export const mustWin = ({ kind }: UnitOutcome): void => {
  if (kind === "gone") throw new Problem("not_found", "The chat was deleted");
  if (kind !== "won") throw new Problem("unavailable", "Too many changes at once; try again", { retryAfter: 1 });
};

/**
 * Does something once per idempotency key: the key, the answer and all that the request changes are one
 * commit, so of any number of identical requests one wins and the rest get its answer. Without a key the
 * unit is simply committed. Throws `idempotency_key_reused` when the key came with another body before.
 */
export const createOnce =
  ({ query, dispatch }: { query: Query; dispatch: Dispatch }) =>
  async <T>(
    scope: Idempotency | null,
    build: () => Promise<Answer<T> & { unit: Unit }>,
  ): Promise<Answer<T> & { replayed: boolean }> => {
    const replay = ({ body_hash, status, answer }: Known) => {
      if (body_hash !== scope?.bodyHash) throw new Problem("idempotency_key_reused");
      return { status, body: answer as T, replayed: true };
    };
    if (scope) {
      // A replay must not depend on what has changed since, e.g. that the option still exists.
      const [known] = await query<Known>("replayOf", [scope.userId, scope.route, scope.key]);
      if (known) return replay(known);
    }
    const { unit, status, body } = await build();
    if (scope) unit.idempotency = { ...scope, status, answer: body };
    const outcome = await dispatch.submit(unit);
    if (outcome.kind === "replayed") {
      return replay({ body_hash: outcome.bodyHash, status: outcome.status, answer: outcome.answer });
    }
    mustWin(outcome);
    return { status, body, replayed: false };
  };
export type Once = ReturnType<typeof createOnce>;
