import { createHash, randomBytes } from "node:crypto";
import type { Query } from "../db/queries.ts";
import { Problem } from "../errors.ts";
import type { Principal } from "../http/principal.ts";
import type { Clock } from "../ports.ts";

const FIRST_USE_MS = 30_000;
const TICKET = /^[\w-]{43}$/;

const hashOf = (ticket: string) => createHash("sha256").update(ticket).digest("hex");

/**
 * Tickets stand for a token in a URL, where nothing else can be: they are good for a few streams of one user, and found
 * in a log a minute later for nothing, unless they were used at once; then until their token expires, since an
 * EventSource comes back by the same URL. Only hashes are kept. `lifeMs`: of one for who has no token.
 */
export const createTickets = ({ write, clock, lifeMs }: { write: Query; clock: Clock; lifeMs: number }) => ({
  issue: async ({ userId, expiresAt }: Principal, streams: readonly string[]) => {
    const ticket = randomBytes(32).toString("base64url");
    const now = clock.now();
    const expires = Number.isFinite(expiresAt) ? expiresAt : now + lifeMs;
    const instants = [now, now + FIRST_USE_MS, expires].map((at) => new Date(at));
    const kept = await write("keepTicket", [hashOf(ticket), userId, streams, ...instants]);
    if (kept.length === 0) throw new Problem("unauthenticated", "The user of this token was deleted");
    return { ticket, expires_at: new Date(expires).toISOString() };
  },
  /** Who comes with it: nobody, when it is not good (any more) or its user was deleted. */
  redeem: async (ticket: string): Promise<Principal | null> => {
    if (!TICKET.test(ticket)) return null;
    type Row = { user_id: string; streams: string[]; expires_at: number };
    const [row] = await write<Row>("redeemTicket", [hashOf(ticket), new Date(clock.now())]);
    if (!row) return null;
    return { userId: row.user_id, role: "user", expiresAt: row.expires_at, anonymous: false, streams: row.streams };
  },
});
export type Tickets = ReturnType<typeof createTickets>;
