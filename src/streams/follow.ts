import type { Clients } from "./clients.ts";
import type { Messages } from "./messages.ts";
import type { SocketSession } from "./session.ts";
import type { Source } from "./source.ts";

/** Who follows, and until when (ms) the token is good that they came with. */
export type Watcher = { userId: string; expiresAt: number };

/** Lets clients follow a source from a cursor. Without one they get a `snapshot` first. */
export const createFollow = ({ clients, messages }: { clients: Clients; messages: Messages }) => {
  const open = (source: Source, { userId, expiresAt }: Watcher, cursor: number | null) => ({
    userId,
    expiresAt,
    messages: (pace: () => Promise<void>) => messages({ ...source, cursor, greet: true, pace }),
  });
  return {
    sse: async (source: Source, watcher: Watcher, cursor: number | null): Promise<Response> => {
      // 204 tells an EventSource that it need not come back: it has seen the end.
      if (cursor !== null && (await source.over(cursor))) return new Response(null, { status: 204 });
      return clients.sse(open(source, watcher, cursor));
    },
    /** Without a cursor from now on: from when the source was opened, as joining its tail takes a moment. */
    sseFromNow: (source: Source, watcher: Watcher, cursor: number | null): Response =>
      clients.sse({ ...open(source, watcher, cursor ?? source.head), start: cursor ?? source.head }),
    socket: (source: Source, watcher: Watcher, cursor: number | null): SocketSession =>
      clients.socket(open(source, watcher, cursor)),
  };
};
export type Follow = ReturnType<typeof createFollow>;
