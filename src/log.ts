import pino from "pino";

/** Field names that never reach a log line, at the top or one level down. */
const SECRET = ["password", "token", "access_token", "authorization", "cookie", "secret", "ticket"];

/** JSON lines on stdout; `level` as in pino (`silent` for tests). */
export const createLog = (level: string) =>
  pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: SECRET.flatMap((name) => [name, `*.${name}`]), censor: "[redacted]" },
  });

export type Log = ReturnType<typeof createLog>;
