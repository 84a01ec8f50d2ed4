import type { Query } from "../db/queries.ts";
import type { Log } from "../log.ts";
import type { Unit } from "./unit.ts";

const TABLES = ["chats", "actors", "accounts", "streams", "users"] as const;
type Table = (typeof TABLES)[number];

/** The rows, by table and id, that must not be locked by others for a unit to be committed. */
const rowsOf = function* ({ live, actors, facts, rows }: Unit): Generator<[Table, string]> {
  for (const { kind, id } of live) {
    if (kind === "chat") yield ["chats", id];
    if (kind === "user") yield ["users", id];
  }
  for (const { id, owner, stream, account, slots, report } of actors) {
    yield ["actors", id];
    yield ["users", owner];
    yield ["streams", stream];
    if (account !== null && (slots !== 0 || report !== null)) yield ["accounts", account];
  }
  for (const { owner, stream } of facts) {
    yield ["users", owner];
    yield ["streams", stream];
  }
  for (const { id } of [...(rows.users ?? []), ...(rows.user_changes ?? [])]) yield ["users", String(id)];
};

/** Remembers which rows somebody else was last seen to keep locked. */
export const createLocks = (query: Query, log: Log) => {
  let held = new Set<string>();
  const nameOf = (table: Table, id: string) => `${table} ${id}`;

  return {
    /** Whether a unit needs a row that was locked at the last look. */
    block: (unit: Unit): boolean => {
      if (held.size === 0) return false;
      for (const [table, id] of rowsOf(unit)) if (held.has(nameOf(table, id))) return true;
      return false;
    },
    /** Looks at the rows of these units and at those that were locked. Not while one of our own commits is under way. */
    look: async (units: readonly Unit[]): Promise<void> => {
      const wanted = new Map(TABLES.map((table) => [table, new Set<string>()]));
      for (const unit of units) for (const [table, id] of rowsOf(unit)) wanted.get(table)?.add(id);
      for (const name of held) {
        const [table = "", id = ""] = name.split(" ");
        wanted.get(table as Table)?.add(id);
      }
      try {
        const locked = await query<{ table: Table; id: string }>(
          "lockedRows",
          TABLES.map((table) => [...(wanted.get(table) ?? [])]),
        );
        held = new Set(locked.map(({ table, id }) => nameOf(table, id)));
      } catch (error) {
        // A whole table may be locked, or the server be away.
        log.warn({ err: error }, "it is not known which rows are locked");
        held = new Set();
      }
    },
  };
};
export type Locks = ReturnType<typeof createLocks>;
