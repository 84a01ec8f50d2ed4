import type { Dispatch } from "../actors/dispatch.ts";
import { createErrands } from "../actors/errands.ts";
import type { Query } from "../db/queries.ts";
import { Problem } from "../errors.ts";
import type { Log } from "../log.ts";

/** How many an endpoint is sent at once. */
const AT_ONCE = 8;

/**
 * Starts deliveries as there is room, the oldest first. Every node may: who looks at the same moment picks the same
 * ones, and each is started once. So two nodes can only exceed the room by what came back from a wait between two looks.
 */
export const createTurns = ({ query, dispatch, log }: { query: Query; dispatch: Pick<Dispatch, "send">; log: Log }) => {
  const start = async (id: string): Promise<void> => {
    try {
      await dispatch.send(id, { type: "start" });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
  };
  const errands = createErrands({
    run: async (endpoint) => {
      const next = await query<{ id: string; sending: number }>("nextDeliveries", [endpoint, AT_ONCE]);
      const room = AT_ONCE - (next[0]?.sending ?? 0);
      if (errands.isClosed()) return;
      await Promise.all(next.slice(0, Math.max(0, room)).map(({ id }) => start(id)));
    },
    failed: (error, id) => log.warn({ err: error, webhook_id: id }, "no webhook was started; the sweep tries again"),
  });

  return {
    /** One of its deliveries waits for its turn, or has made room. */
    hint: errands.hint,
    /** Covers crashes between a commit and its hint. */
    sweep: async () => {
      for (const { id } of await query<{ id: string }>("endpointsWithPending")) errands.hint(id);
    },
    idle: errands.idle,
    close: errands.close,
  };
};
