import { Problem } from "../errors.ts";
import { classify } from "../http/classify.ts";
import type { SocketDescription } from "../http/describe.ts";
import { isUuid } from "../http/ids.ts";
import type { Principal } from "../http/principal.ts";
import { renderProblem } from "../http/problems.ts";
import { readStreamCursor } from "../streams/cursor.ts";
import type { SocketSession } from "../streams/session.ts";
import type { BatchStreams } from "./streams.ts";

const PATH = /^\/api\/generate\/([^/]+?)(?:\/stream|\/ws)?\/?$/;

/** `ws /api/generate/{job_id}?token=`: upgrades do not pass through the router, so the same rules stand here. */
export const createBatchSockets = (deps: {
  streams: BatchStreams;
  authenticate(token: string | null): Promise<Principal>;
  hostAllowed(request: Request): boolean;
  originTrusted(request: Request): boolean;
  publicUrl: string;
}) => {
  const accept = async (request: Request): Promise<SocketSession> => {
    if (!deps.hostAllowed(request)) throw new Problem("host_not_allowed");
    if (!deps.originTrusted(request)) throw new Problem("origin_not_allowed");
    const url = new URL(request.url);
    const id = PATH.exec(url.pathname)?.[1];
    if (id === undefined) throw new Problem("not_found");
    const header = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
    const principal = await deps.authenticate(url.searchParams.get("token") ?? header ?? null);
    if (!isUuid(id)) throw new Problem("not_found");
    return deps.streams.socket(id, principal, readStreamCursor(request));
  };
  const description: SocketDescription = {
    path: "/api/generate/{job_id}",
    tag: "generate",
    summary: "Progress by WebSocket",
    description:
      "Connect with `?token=` (browsers cannot send headers) and optionally `?after=`. Sends the same envelopes as the SSE stream, one a frame; what is not in the log has no `sequence`.",
  };
  return {
    description,
    /** Decides on an upgrade: a session, or the response that refuses it. */
    upgrade: async (request: Request): Promise<SocketSession | Response> => {
      try {
        return await accept(request);
      } catch (error) {
        return renderProblem(classify(error), { request, requestId: "", publicUrl: deps.publicUrl });
      }
    },
  };
};
