import type { Fact } from "../ports.ts";

const OWNER = "owner:";

/**
 * The name of the line of all that a user owns. A line is an order of facts without gaps, and has one name on the bus, in
 * the log and in feeds: a stream's is its id.
 */
export const ownerLine = (owner: string): string => `${OWNER}${owner}`;

/** Whose line it is; null for a stream's. */
export const ownerOf = (line: string): string | null => (line.startsWith(OWNER) ? line.slice(OWNER.length) : null);

/** The number of a fact in a line that it is on. */
export const placeIn = (line: string, { seq, ownerSeq }: Pick<Fact, "seq" | "ownerSeq">): number =>
  ownerOf(line) === null ? seq : ownerSeq;
