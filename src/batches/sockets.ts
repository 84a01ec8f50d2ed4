import { Problem } from "../errors.ts";
import { isUuid } from "../http/ids.ts";
import { mayWatch } from "../http/principal.ts";
import type { SocketRoute } from "../http/upgrades.ts";
import { readStreamCursor } from "../streams/cursor.ts";
import type { Follow } from "../streams/follow.ts";
import type { SocketSession } from "../streams/session.ts";
import type { OpenSource } from "../streams/source.ts";

/** `ws /api/generate/{job_id}?token=`: one batch, live, as the second service's clients know it. */
export const createBatchSocket = ({
  source,
  follow,
}: {
  source: OpenSource;
  follow: Follow;
}): SocketRoute<SocketSession> => ({
  path: /^\/api\/generate\/([^/]+?)(?:\/stream|\/ws)?\/?$/,
  rule: "bearer",
  open: async ([, id = ""], principal, request) => {
    if (!isUuid(id) || !mayWatch(principal, `batch:${id}`)) throw new Problem("not_found");
    const cursor = readStreamCursor(request);
    return follow.socket(await source(id, principal.userId), principal, cursor);
  },
  description: {
    path: "/api/generate/{job_id}",
    tag: "generate",
    summary: "Progress by WebSocket",
    description:
      "Connect with `?token=` (browsers cannot send headers) and optionally `?after=`. Sends the same envelopes as the SSE stream, one a frame; what is not in the log has no `sequence`.",
  },
});
