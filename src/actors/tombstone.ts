import type { Live, Unit } from "./unit.ts";

/** Lets a unit delete a row: nobody reads it any more, and a unit that comes later and is about it is `gone`. */
export const entomb = (unit: Unit, { kind, id }: Live, at: number): void => {
  const deleted_at = new Date(at).toISOString();
  unit.live.push({ kind, id });
  if (kind === "user") unit.rows.user_changes = [{ id, deleted_at }];
  else unit.rows.tombstones = [...(unit.rows.tombstones ?? []), { [`${kind}_id`]: id, deleted_at }];
};
