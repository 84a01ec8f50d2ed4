import { Elysia } from "elysia";
import { Problem } from "../errors.ts";
import type { Exchanges } from "./exchange.ts";
import { type Caller, mayWatch, type NewUser, outranks, type Principal, type Role } from "./principal.ts";
import { targetOf } from "./target.ts";

/**
 * Who may use a route. `user`: a token, or nobody in demo mode, who is then the demo user. `bearer`: a
 * token always. `role:…`: a token of that role or a higher one. A route without a rule is public.
 */
export type Rule = "user" | "bearer" | "role:operator" | "role:admin";

/** Who may watch what: a stream by its kind and, if it has one, the name of the parameter with its id. */
type Watch = { rule: Rule; stream: string; id?: string };

const MAX_TOKEN_LENGTH = 8192;
const ROLE_NEEDED: Record<Rule, Role> = {
  user: "user",
  bearer: "user",
  "role:operator": "operator",
  "role:admin": "admin",
};

const tokenOf = (header: string): string => /^Bearer +([^\s]+) *$/i.exec(header)?.[1] ?? "";

// An empty requirement beside the token's tells OpenAPI that the token is optional.
const securityOf = (rule: Rule): Record<string, string[]>[] =>
  rule === "user" ? [{ bearer: [] }, {}] : [{ bearer: [] }];

/**
 * Knows who calls. `verify` answers null for a token that is not good; `provision` makes sure that
 * the user's row exists. `demo` is the demo user in demo mode, else null.
 *
 * A slice does `.use(guard.plugin)` and writes `{ auth: "user" }` on a route; its handler then has
 * `principal`, `caller` and `requestId`. The check runs before validation, so a stranger learns nothing from 422.
 * `{ watch: { rule: "user", stream: "chat", id: "id" } }` on a live stream lets in who has a `?ticket=` for it, too; `redeem` answers null for a
 * ticket that is not good.
 */
export const createGuard = (deps: {
  verify: (token: string) => Promise<{ userId: string; role: Role; expiresAt: number } | null>;
  provision: (user: NewUser) => Promise<void>;
  demo: NewUser | null;
  redeem?: (ticket: string) => Promise<Principal | null>;
  exchanges: Exchanges;
}) => {
  const { verify, provision, demo, redeem = async () => null, exchanges } = deps;

  /** The principal of a token, for WebSocket upgrades too. Throws `unauthenticated`. */
  const authenticate = async (token: string | null): Promise<Principal> => {
    if (!token) throw new Problem("unauthenticated", "An access token is required");
    const claims = token.length > MAX_TOKEN_LENGTH ? null : await verify(token);
    if (!claims) throw new Problem("unauthenticated", "The access token is not valid or has expired");
    await provision({ id: claims.userId, role: claims.role });
    return { ...claims, anonymous: false };
  };

  /** The principal of a request under a rule. Throws `unauthenticated` or `forbidden`. */
  const admit = async (request: Request, rule: Rule): Promise<Principal> => {
    const header = request.headers.get("authorization");
    if (header === null && rule === "user" && demo) {
      await provision(demo);
      return { userId: demo.id, role: demo.role, expiresAt: Number.POSITIVE_INFINITY, anonymous: true };
    }
    const principal = await authenticate(header === null ? null : tokenOf(header) || "-");
    if (!outranks(principal.role, ROLE_NEEDED[rule])) throw new Problem("forbidden");
    return principal;
  };

  /** The principal of a request to watch, under a rule: by a token as ever, else by a ticket. */
  const admitWatcher = async (request: Request, rule: Rule): Promise<Principal> => {
    const ticket = new URLSearchParams(targetOf(request).query).get("ticket");
    if (ticket === null || request.headers.has("authorization")) return admit(request, rule);
    const principal = await redeem(ticket);
    if (!principal) throw new Problem("unauthenticated", "The ticket is not valid or has expired");
    return principal;
  };

  const resolve = ({ request }: { request: Request }) => {
    const { principal, id, traceparent } = exchanges.of(request);
    if (!principal) throw new Problem("unauthenticated");
    const caller: Caller = { userId: principal.userId, traceparent };
    return { principal, caller, requestId: id };
  };
  const plugin = new Elysia({ name: "guard" }).macro({
    auth: (rule: Rule) => ({
      detail: { security: securityOf(rule) },
      async transform({ request }: { request: Request }) {
        exchanges.of(request).principal = await admit(request, rule);
      },
      resolve,
    }),
    watch: ({ rule, stream, id }: Watch) => ({
      detail: { security: [...securityOf(rule), { ticket: [] }] },
      async transform({ request, params }: { request: Request; params: Record<string, string> }) {
        const principal = await admitWatcher(request, rule);
        const name = id === undefined ? stream : `${stream}:${params[id]}`;
        if (!mayWatch(principal, name)) throw new Problem("not_found", "The ticket is not for this stream");
        exchanges.of(request).principal = principal;
      },
      resolve,
    }),
  });
  return { plugin, authenticate, admit, admitWatcher };
};

export type Guard = ReturnType<typeof createGuard>;
