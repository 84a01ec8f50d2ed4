import { Problem } from "../errors.ts";
import { classify } from "./classify.ts";
import type { SocketDescription } from "./describe.ts";
import type { Guard, Rule } from "./guard.ts";
import type { Principal } from "./principal.ts";
import { renderProblem } from "./problems.ts";
import { targetOf } from "./target.ts";

/** One address for WebSockets, and what opens a session there. */
export type SocketRoute<Session> = {
  path: RegExp;
  rule: Rule;
  open(found: RegExpExecArray, principal: Principal, request: Request): Promise<Session>;
  description: SocketDescription;
};

/**
 * Decides on WebSocket upgrades, which do not pass through the router, by the same rules. Browsers cannot send headers
 * with one, so the access token may be in `?token=`, or there is a `?ticket=`.
 */
export const createUpgrades = <Session>(deps: {
  routes: readonly SocketRoute<Session>[];
  guard: Pick<Guard, "authenticate" | "admitWatcher">;
  hostAllowed(request: Request): boolean;
  originTrusted(request: Request): boolean;
  publicUrl: string;
}) => {
  const { routes, guard } = deps;
  const accept = async (request: Request): Promise<Session> => {
    if (!deps.hostAllowed(request)) throw new Problem("host_not_allowed");
    if (!deps.originTrusted(request)) throw new Problem("origin_not_allowed");
    const { path, query } = targetOf(request);
    for (const route of routes) {
      const found = route.path.exec(path);
      if (!found) continue;
      const token = new URLSearchParams(query).get("token");
      const principal =
        token === null ? await guard.admitWatcher(request, route.rule) : await guard.authenticate(token);
      return route.open(found, principal, request);
    }
    throw new Problem("not_found");
  };
  return {
    descriptions: routes.map(({ description }) => description),
    /** A session, or the response that refuses it. */
    upgrade: async (request: Request): Promise<Session | Response> => {
      try {
        return await accept(request);
      } catch (error) {
        return renderProblem(classify(error), { request, requestId: "", publicUrl: deps.publicUrl });
      }
    },
  };
};
