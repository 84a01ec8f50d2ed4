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

/** The committed facts, by stream: the truth behind every live stream. */
export const createFactLog = (query: Query) => ({
  /** Up to `limit` facts after `seq`, in order. */
  read: async (stream: string, seq: number, limit: number): Promise<Fact[]> =>
    (await query<FactRow>("readFacts", [stream, seq, limit])).map(toFact),
  /** The latest seq of each stream that has any; one query for all. */
  heads: async (streams: readonly string[]): Promise<Map<string, number>> => {
    const rows = await query<{ id: string; seq: number }>("streamHeads", [streams]);
    return new Map(rows.map(({ id, seq }) => [id, seq]));
  },
});
export type FactLog = ReturnType<typeof createFactLog>;
