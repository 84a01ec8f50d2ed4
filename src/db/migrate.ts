import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Sql } from "./connect.ts";

const DIRECTORY = fileURLToPath(new URL("../../sql/migrations", import.meta.url));

/** "darkroom" as a bigint; runners queue on this advisory lock, one transaction at a time. */
const LOCK = "7233183912005693293";
const WAIT = "60s";

type Migration = { number: number; name: string; text: string; checksum: string };
type Applied = { number: number; name: string; checksum: string };

const read = async (directory: string): Promise<Migration[]> => {
  const files = (await readdir(directory)).filter((name) => name.endsWith(".sql")).sort();
  const all = files.map(async (file, index) => {
    const [, digits, name] = /^(\d{6})_([a-z0-9_]+)\.sql$/.exec(file) ?? [];
    if (!digits || !name) throw new Error(`${file} is not named like 000001_what_it_does.sql`);
    if (Number(digits) !== index + 1)
      throw new Error(`${file}: migrations are numbered without gaps; expected ${index + 1}`);
    const text = (await readFile(join(directory, file), "utf8")).replaceAll("\r\n", "\n");
    return { number: index + 1, name, text, checksum: createHash("sha256").update(text).digest("hex") };
  });
  return Promise.all(all);
};

const compare = (known: Migration[], applied: Applied[]) => {
  for (const row of applied) {
    const file = known[row.number - 1];
    if (!file)
      throw new Error(
        `the database is newer than this code: it has migration ${row.number} (${row.name}), the code ends at ${known.length}; deploy the newer code`,
      );
    if (file.checksum !== row.checksum)
      throw new Error(
        `migration ${row.number} (${row.name}) was edited after it had been applied; restore the file and write a new migration instead`,
      );
  }
};

/**
 * Brings the database up to the numbered files of `directory`, each in a transaction of its own.
 * Safe to run from several processes at once; works on PostgreSQL 15 to 18.
 * @returns the names that this call applied, oldest first
 * @throws Error when an applied file was edited, or the database is newer than the code
 */
export const migrate = async (sql: Sql, directory = DIRECTORY): Promise<string[]> => {
  const known = await read(directory);
  const done: string[] = [];
  for (;;) {
    const name = await sql.begin(async (tx) => {
      await tx.unsafe(`set local lock_timeout = '${WAIT}'; set local statement_timeout = 0`);
      await tx.unsafe(`select pg_advisory_xact_lock(${LOCK})`);
      await tx.unsafe(`create table if not exists migrations (
        number integer primary key, name text not null, checksum text not null,
        applied_at timestamptz not null default now())`);
      const applied = await tx.unsafe<Applied[]>("select number, name, checksum from migrations order by number");
      compare(known, applied);
      const next = known[applied.length];
      if (!next) return null;
      await tx.unsafe(next.text).simple();
      await tx.unsafe("insert into migrations (number, name, checksum) values ($1, $2, $3)", [
        next.number,
        next.name,
        next.checksum,
      ]);
      return next.name;
    });
    if (name === null) return done;
    done.push(name);
  }
};

/**
 * Throws unless the database stands where this code expects it: nothing missing, nothing newer, nothing
 * edited. For databases that are migrated by hand.
 */
export const assertMigrated = async (sql: Sql, directory = DIRECTORY): Promise<void> => {
  const known = await read(directory);
  const [{ table } = { table: null }] = await sql<
    { table: string | null }[]
  >`select to_regclass('migrations') as table`;
  const applied = table ? await sql<Applied[]>`select number, name, checksum from migrations order by number` : [];
  compare(known, [...applied]);
  const missing = known.length - applied.length;
  if (missing > 0) throw new Error(`the database lacks ${missing} migration(s); run: npm run migrate`);
};
