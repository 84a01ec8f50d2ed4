import { ownerLine, ownerOf } from "../bus/lines.ts";
import type { Query } from "../db/queries.ts";
import type { Fact } from "../ports.ts";

export type FactRow = {
  stream_id: string;
  seq: number;
  owner_id: string;
  owner_seq: number;
  id: string;
  type: string;
  at: number;
  actor_kind: string;
  actor_id: string;
  data: Record<string, unknown>;
  traceparent: string | null;
};

export const toFact = (row: FactRow): Fact => ({
  id: row.id,
  stream: row.stream_id,
  seq: row.seq,
  owner: row.owner_id,
  ownerSeq: row.owner_seq,
  type: row.type,
  at: row.at,
  actorKind: row.actor_kind,
  actorId: row.actor_id,
  data: row.data,
  traceparent: row.traceparent,
});

type Head = { id: string; seq: number };

/** The committed facts, by line: the truth behind every live stream. */
export const createFactLog = (query: Query) => ({
  /** Up to `limit` facts of a line after a place, in order. What lies between them was erased. */
  read: async (line: string, place: number, limit: number): Promise<Fact[]> => {
    const owner = ownerOf(line);
    const rows =
      owner === null
        ? await query<FactRow>("readFacts", [line, place, limit])
        : await query<FactRow>("readOwnerFacts", [owner, place, limit]);
    return rows.map(toFact);
  },
  /** The latest place of each line that has any; one query for all streams, and one for all owners. */
  heads: async (lines: readonly string[]): Promise<Map<string, number>> => {
    const streams = lines.filter((line) => ownerOf(line) === null);
    const owners = lines.flatMap((line) => ownerOf(line) ?? []);
    const [ofStreams, ofOwners] = await Promise.all([
      streams.length > 0 ? query<Head>("streamHeads", [streams]) : [],
      owners.length > 0 ? query<Head>("ownerHeads", [owners]) : [],
    ]);
    return new Map([
      ...ofStreams.map(({ id, seq }): [string, number] => [id, seq]),
      ...ofOwners.map(({ id, seq }): [string, number] => [ownerLine(id), seq]),
    ]);
  },
});
export type FactLog = ReturnType<typeof createFactLog>;
