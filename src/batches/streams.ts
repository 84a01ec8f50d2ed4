import type { Fact } from "../ports.ts";
import type { Clients } from "../streams/clients.ts";
import type { Messages } from "../streams/messages.ts";
import type { SocketSession } from "../streams/session.ts";
import type { BatchReads } from "./reads.ts";

const ENDS = new Set([
  "batch.succeeded",
  "batch.partially_succeeded",
  "batch.failed",
  "batch.timed_out",
  "batch.canceled",
]);

type Watcher = { userId: string; expiresAt: number };

/** A batch, live: a `snapshot` for who comes without a cursor, then its events, then the end. */
export const createBatchStreams = (deps: { reads: BatchReads; clients: Clients; messages: Messages }) => {
  const { reads, clients } = deps;

  const open = async (id: string, { userId, expiresAt }: Watcher, cursor: number | null) => {
    // A stranger learns nothing: the batch is looked up as its owner's.
    await reads.row(id, userId);
    const snapshot = async () => {
      const { body } = await reads.detail(await reads.row(id, userId));
      return { cursor: body.cursor, data: body, done: body.finished_at !== null };
    };
    const messages = (pace: () => Promise<void>) =>
      deps.messages({
        stream: id,
        cursor,
        pace,
        greet: true,
        snapshot,
        isLast: (fact: Fact) => fact.actorId === id && ENDS.has(fact.type),
      });
    return { userId, expiresAt, messages };
  };

  return {
    sse: async (id: string, watcher: Watcher, cursor: number | null): Promise<Response> => {
      const row = await reads.row(id, watcher.userId);
      // 204 tells an EventSource that it need not come back: it has seen the end.
      const ended = reads.show(row).finished_at !== null;
      if (ended && cursor !== null && cursor === row.cursor) return new Response(null, { status: 204 });
      return clients.sse(await open(id, watcher, cursor));
    },
    socket: async (id: string, watcher: Watcher, cursor: number | null): Promise<SocketSession> =>
      clients.socket(await open(id, watcher, cursor)),
  };
};
export type BatchStreams = ReturnType<typeof createBatchStreams>;
