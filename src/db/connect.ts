import postgres from "postgres";

/**
 * A PostgreSQL URL, or what `startPostgres` returned. As with libpq, `?host=/directory` in the URL
 * names the directory of a unix socket.
 */
export type Target = string | { host: string; port: number; user: string; database: string; password?: string };

/**
 * `read` and `write` bound every statement to 5 s; `write` also gives up a lock after 1 s, so that a
 * frozen client cannot hold hot rows against everyone. `admin` (migrations, tests) is not bounded.
 */
export type Role = "read" | "write" | "admin";

/**
 * The server answers within its own limits, or is not there any more: a firewall has forgotten the connection, or its
 * host is gone. Without this (our patch of postgres.js) that shows after a quarter of an hour.
 */
const SILENT_S = 7;

const LIMITS = {
  read: { statement_timeout: 5000 },
  write: { statement_timeout: 5000, lock_timeout: 1000, idle_in_transaction_session_timeout: 10_000 },
  admin: {},
};

const toNumber = (text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`bigint ${text} is beyond the safe integers`);
  return value;
};

/** PostgreSQL writes `2026-11-22 10:45:37.644+00`, which is not quite ISO 8601. */
const toMilliseconds = (text: string): number => {
  if (text === "infinity") return Number.POSITIVE_INFINITY;
  if (text === "-infinity") return Number.NEGATIVE_INFINITY;
  return Date.parse(text.replace(" ", "T").replace(/([+-]\d\d)$/, "$1:00"));
};

const fromInstant = (value: unknown): string => {
  if (value === Number.POSITIVE_INFINITY) return "infinity";
  if (value === Number.NEGATIVE_INFINITY) return "-infinity";
  return typeof value === "number" || value instanceof Date ? new Date(value).toISOString() : String(value);
};

/**
 * Throws when the install ran without its script, which mends postgres.js: unmended, it can end the process when a
 * server is restarted, and waits for ever for one that is cut off. Only the mended one has kept the option.
 */
export const assertMended = <T extends { options: object }>(sql: T): T => {
  if ("query_timeout" in sql.options) return sql;
  throw new Error(
    "postgres.js is without its patch, because the install scripts were not run: run `npx patch-package --patch-dir src/db/patches` (or `deno install`), then start again",
  );
};

/**
 * Opens a pool on PostgreSQL (postgres.js, lazily connected). `bigint` is read as a number, or fails
 * beyond the safe integers; `timestamptz` is read as milliseconds since the epoch and written from
 * milliseconds, a Date or text; `jsonb` is plain objects. It reconnects by itself every 250 ms.
 * Sessions are renewed within the hour, unless they are `lasting`. Close it with `sql.end({ timeout })`.
 */
export const connect = (
  target: Target,
  { max, role, lasting = false }: { max: number; role: Role; lasting?: boolean },
) => {
  const options = {
    max,
    prepare: true,
    connect_timeout: 5,
    // The default backs off exponentially: measured up to 14 s after the server was back.
    backoff: () => 0.25,
    onnotice: () => {},
    ...(lasting ? { max_lifetime: null } : {}),
    ...(role === "admin" ? {} : { query_timeout: SILENT_S }),
    types: {
      bigint: { to: 20, from: [20], parse: toNumber, serialize: (value: unknown) => String(value) },
      timestamptz: { to: 1184, from: [1184], parse: toMilliseconds, serialize: fromInstant },
    },
    connection: { application_name: `darkroom-${role}`, TimeZone: "UTC", ...LIMITS[role] },
  };
  if (typeof target !== "string") return assertMended(postgres({ ...target, ...options }));
  const url = new URL(target);
  const host = url.searchParams.get("host");
  url.searchParams.delete("host");
  return assertMended(postgres(url.href, { ...options, ...(host ? { host } : {}) }));
};

export type Sql = ReturnType<typeof connect>;
