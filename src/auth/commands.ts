import type { Dispatch } from "../actors/dispatch.ts";
import { entomb } from "../actors/tombstone.ts";
import { emptyUnit } from "../actors/unit.ts";
import type { Query } from "../db/queries.ts";
import { Problem } from "../errors.ts";
import { mustWin } from "../http/once.ts";
import type { Caller, NewUser } from "../http/principal.ts";
import type { Clock, Draws } from "../ports.ts";
import { DEMO_USER_ID } from "./demo.ts";
import { effective, type Periods } from "./retention.ts";

/** What can be done with users. */
export const createUserCommands = (deps: {
  dispatch: Dispatch;
  query: Query;
  clock: Clock;
  draws: Draws;
  /** How long the operator keeps things, of everybody. */
  allowed: Periods;
}) => {
  const { dispatch, query, clock, draws, allowed } = deps;

  const retention = async (userId: string) => {
    const [row] = await query<{ retention: Partial<Periods> }>("retentionOf", [userId]);
    const { chats = null, jobs = null, attachments = null } = row?.retention ?? {};
    const own = { chats, jobs, attachments };
    return { own, effective: effective(own, allowed) };
  };

  return {
    /** Makes sure that the user's row is there. Throws `unauthenticated` for one that was deleted. */
    provision: async ({ id, email, passwordHash, role }: NewUser): Promise<void> => {
      const unit = emptyUnit(draws.id());
      unit.live.push({ kind: "user", id });
      unit.rows.users = [{ id, email: email ?? null, password_hash: passwordHash ?? null, role }];
      const { kind } = await dispatch.submit(unit);
      if (kind === "gone") throw new Problem("unauthenticated", "The user of this token was deleted");
    },
    /** Deletes the user: no token of theirs is good any more. All that they have follows, see `src/retention`. */
    remove: async ({ userId, traceparent }: Caller): Promise<void> => {
      if (userId === DEMO_USER_ID) throw new Problem("forbidden", "The demo user cannot be deleted");
      const unit = emptyUnit(draws.id(), traceparent);
      entomb(unit, { kind: "user", id: userId }, clock.now());
      mustWin(await dispatch.submit(unit));
    },
    retention,
    /** Sets how long the user keeps things, in days by kind; null: as long as the operator does. */
    retain: async ({ userId, traceparent }: Caller, own: Periods) => {
      const unit = emptyUnit(draws.id(), traceparent);
      unit.live.push({ kind: "user", id: userId });
      const days = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== null));
      unit.rows.user_changes = [{ id: userId, retention: days }];
      mustWin(await dispatch.submit(unit));
      return { own, effective: effective(own, allowed) };
    },
  };
};
export type UserCommands = ReturnType<typeof createUserCommands>;
