/** What a caller may do, weakest first. */
export const ROLES = ["user", "operator", "admin"] as const;
export type Role = (typeof ROLES)[number];

export const isRole = (word: unknown): word is Role => ROLES.some((role) => role === word);

export const outranks = (role: Role, needed: Role): boolean => ROLES.indexOf(role) >= ROLES.indexOf(needed);

/**
 * Who is calling. `expiresAt` is milliseconds since the epoch, `Infinity` for the anonymous demo user. `streams`: those
 * that a ticket is for; absent for who came without one.
 */
export type Principal = {
  userId: string;
  role: Role;
  expiresAt: number;
  anonymous: boolean;
  streams?: readonly string[];
};

/** Whether a stream, e.g. `chat:<id>`, may be shown at all, as far as a ticket decides. */
export const mayWatch = ({ streams }: Principal, stream: string): boolean => streams?.includes(stream) ?? true;

/** For whom something is done, and the W3C trace context of the request for it. */
export type Caller = { userId: string; traceparent: string | null };

/** A user as it is written the first time it is seen. */
export type NewUser = { id: string; email?: string; passwordHash?: string; role: Role };
