import { Buffer } from "node:buffer";
import type { ListedObject } from "../ports.ts";

const PAGE = 500;
const SHOWN = 100;

export type Tally = { objects: number; bytes: number; missing: number; orphans: number; orphan_bytes: number };
export type Audit = {
  /** By the first part of the key. */
  prefixes: Record<string, Tally>;
  /** The first of them. */
  missing: string[];
  orphans: string[];
  condemned: number;
};

/** S3 sorts by bytes, which is not how JavaScript sorts. */
const compare = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/**
 * Compares what rows name with what a bucket holds: two listings in the same order, walked side by side, so that
 * neither has to fit into memory. Both go on changing meanwhile, so whatever does not fit is looked at once more.
 */
export const audit = async (deps: {
  named: AsyncIterable<{ key: string; required: boolean }>;
  listed: AsyncIterable<ListedObject>;
  /** Younger objects may be about to be named, ms since the epoch. */
  olderThan: number;
  /** Of these keys, those that no row names now. */
  unnamed(keys: string[]): Promise<string[]>;
  isThere(key: string): Promise<boolean>;
  /** What to do with orphans. Resolves to how many it was done to. */
  condemn?(keys: string[]): Promise<number>;
}): Promise<Audit> => {
  const result: Audit = { prefixes: {}, missing: [], orphans: [], condemned: 0 };
  const tally = (key: string): Tally => {
    const prefix = key.includes("/") ? key.slice(0, key.indexOf("/") + 1) : "";
    result.prefixes[prefix] ??= { objects: 0, bytes: 0, missing: 0, orphans: 0, orphan_bytes: 0 };
    return result.prefixes[prefix];
  };
  let suspects: ListedObject[] = [];
  const judge = async () => {
    if (suspects.length === 0) return;
    const orphans = new Set(await deps.unnamed(suspects.map(({ key }) => key)));
    for (const { key, size } of suspects.filter((suspect) => orphans.has(suspect.key))) {
      tally(key).orphans++;
      tally(key).orphan_bytes += size;
      if (result.orphans.length < SHOWN) result.orphans.push(key);
    }
    result.condemned += (await deps.condemn?.([...orphans])) ?? 0;
    suspects = [];
  };
  const miss = async (key: string) => {
    if ((await deps.isThere(key)) || (await deps.unnamed([key])).length > 0) return;
    tally(key).missing++;
    if (result.missing.length < SHOWN) result.missing.push(key);
  };

  const names = deps.named[Symbol.asyncIterator]();
  let name = await names.next();
  for await (const object of deps.listed) {
    const counted = tally(object.key);
    counted.objects++;
    counted.bytes += object.size;
    for (; !name.done && compare(name.value.key, object.key) < 0; name = await names.next())
      if (name.value.required) await miss(name.value.key);
    if (!name.done && name.value.key === object.key) name = await names.next();
    else if (object.modified < deps.olderThan) suspects.push(object);
    if (suspects.length === PAGE) await judge();
  }
  for (; !name.done; name = await names.next()) if (name.value.required) await miss(name.value.key);
  await judge();
  return result;
};

/** For people: a line for each prefix, then what is wrong. */
export const auditTable = ({ prefixes, missing, orphans, condemned }: Audit): string => {
  const head = ["prefix", "objects", "bytes", "missing", "orphans", "orphans' bytes"];
  const lines = Object.entries(prefixes)
    .sort()
    .map(([prefix, t]) => [prefix || "-", t.objects, t.bytes, t.missing, t.orphans, t.orphan_bytes].map(String));
  const widths = head.map((title, n) => Math.max(title.length, ...lines.map((line) => line[n]?.length ?? 0)));
  const row = (cells: string[]) =>
    cells.map((cell, n) => (n === 0 ? cell.padEnd(widths[n] ?? 0) : cell.padStart(widths[n] ?? 0))).join("  ");
  return [
    row(head),
    ...lines.map(row),
    ...missing.map((key) => `missing  ${key}`),
    ...orphans.map((key) => `orphan   ${key}`),
    ...(condemned > 0 ? [`${condemned} orphans will be removed after the grace, unless a row names them by then`] : []),
    "",
  ].join("\n");
};
