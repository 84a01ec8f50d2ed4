/** What PostgreSQL's and postgres.js' error codes mean for whoever has to decide what to do next. */

const codeOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";

/** The connection could not be opened, or went away. Whether a statement took effect is not known. */
const CONNECTION =
  /^(08...|57P0[1-4]|CONNECTION_\w+|CONNECT_TIMEOUT|ECONNREFUSED|ECONNRESET|ENOENT|EPIPE|ETIMEDOUT|ENOTFOUND)$/;

/**
 * Worth trying again unchanged: connection losses, serialization failures and deadlocks (40), lock and
 * statement timeouts (55P03, 57014), exhausted resources such as a full disk (53).
 */
export const isTransient = (error: unknown): boolean =>
  CONNECTION.test(codeOf(error)) || /^(40...|53...|55P03|57014)$/.test(codeOf(error));

/** Somebody else was in the way, and the transaction is certainly undone: 40, 55P03, 57014. */
export const isContention = (error: unknown): boolean => /^(40...|55P03|57014)$/.test(codeOf(error));

/** The data itself was refused (22, 23), or is more than there is room for in a row (54): so will the same be again. */
export const isRefusal = (error: unknown): boolean => /^(22|23|54)...$/.test(codeOf(error));

/** Two wrote the same key at the same moment: whoever comes later finds it, and may say `on conflict` of it then. */
export const isCollision = (error: unknown): boolean => codeOf(error) === "23505";

/** The server is not there at all. */
export const isOutage = (error: unknown): boolean =>
  /^(57P0[1-4]|CONNECT_TIMEOUT|ECONNREFUSED|ENOENT|ENOTFOUND)$/.test(codeOf(error));
