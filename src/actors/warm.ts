import { LRUCache } from "lru-cache";
import type { ActorKind, Kind, Registry } from "../../machines/registry.ts";
import { type Snapshot, tagsOf } from "../../machines/step.ts";
import type { Query } from "../db/queries.ts";
import { Problem } from "../errors.ts";
import type { Identity } from "./unit.ts";

/** An actor in memory: its last committed version plus the soft steps taken since. */
export type Warm = {
  identity: Identity;
  version: number;
  snapshot: Snapshot;
  tags: ReadonlySet<string>;
  /** Events of soft steps not yet in any commit. */
  folded: string[];
  /** The state's name as last committed. */
  committedState: string;
  committedStatus: string | null;
  done: boolean;
};

/** As `loadActor` and `claimOverdue` answer. */
export type ActorRow = {
  id: string;
  kind: string;
  machine_version: number;
  state: string;
  status: string | null;
  /** One that was written before traces were has no `traceparent`. */
  snapshot: Snapshot & { labels: Record<string, string | null>; traceparent?: string | null };
  version: number;
  owner_id: string;
  stream_id: string;
  account: string | null;
  parked_reason: string | null;
  finished_at: number | null;
};

/** A snapshot that cannot be migrated is left as it is: the step will find it broken, and park it. */
const migrated = (kind: Kind, snapshot: Snapshot, from: number): Snapshot => {
  if (from >= kind.version) return snapshot;
  try {
    return kind.migrate(snapshot, from);
  } catch {
    return { ...snapshot, value: "" };
  }
};

/**
 * Actors by id: a bounded cache over the `actors` table. Soft states are pinned, since the table does
 * not have them. `find` throws `not_found`, `unavailable` (a newer node's actor) or `conflict` (parked);
 * `offer` keeps a row that was read anyway, unless what is known is as new.
 */
export const createWarmth = ({ query, registry, size }: { query: Query; registry: Registry; size: number }) => {
  const cache = new LRUCache<string, Warm>({ max: size });
  const pinned = new Map<string, Warm>();

  const read = (row: ActorRow): Warm => {
    const kind = registry[row.kind as ActorKind];
    if (!kind || row.machine_version > kind.version) {
      throw new Problem("unavailable", "This is handled by a newer version of the service", { retryAfter: 5 });
    }
    if (row.parked_reason !== null) throw new Problem("conflict", "This was taken out of service for inspection");
    // Also of a row that was damaged: the step finds it broken.
    const { labels, traceparent = null, ...stored } = row.snapshot ?? {};
    const snapshot = migrated(kind, { ...stored, timers: stored.timers ?? {} }, row.machine_version);
    const identity: Identity = {
      id: row.id,
      kind: row.kind as ActorKind,
      owner: row.owner_id,
      stream: row.stream_id,
      account: row.account,
      labels,
      traceparent,
    };
    return {
      identity,
      version: row.version,
      snapshot,
      tags: tagsOf(kind.machine, row.state),
      folded: [],
      committedState: row.state,
      committedStatus: row.status,
      done: row.finished_at !== null,
    };
  };

  const load = async (id: string): Promise<Warm> => {
    const [row] = await query<ActorRow>("loadActor", [id]);
    if (!row) throw new Problem("not_found");
    return read(row);
  };

  return {
    find: async (id: string): Promise<Warm> => pinned.get(id) ?? cache.get(id) ?? (await load(id)),
    keep: (actor: Warm) => {
      const { id } = actor.identity;
      if (actor.folded.length > 0) {
        cache.delete(id);
        pinned.set(id, actor);
      } else {
        pinned.delete(id);
        if (actor.done) cache.delete(id);
        else cache.set(id, actor);
      }
    },
    offer: (row: ActorRow) => {
      const known = pinned.get(row.id) ?? cache.get(row.id);
      if (row.parked_reason === null && (known === undefined || known.version < row.version))
        cache.set(row.id, read(row));
    },
    forget: (id: string) => {
      pinned.delete(id);
      cache.delete(id);
    },
    pinned: () => [...pinned.keys()],
  };
};
export type Warmth = ReturnType<typeof createWarmth>;
