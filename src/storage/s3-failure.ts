import { Problem } from "../errors.ts";

/** S3's own codes for "later", and the system's for a connection that failed. */
const PASSING =
  /^(SlowDown|ServiceUnavailable|InternalError|RequestTimeout|OperationAborted|E(CONN|TIMEDOUT|PIPE|HOST|NET|AI_)|ENOTFOUND)/;

/** S3, or whoever is in its place, says nothing. */
export const silence = (ms: number): Error =>
  Object.assign(new Error(`S3 was silent for ${ms} ms`), { code: "ETIMEDOUT" });

/** The code that an S3 server or the system gave; empty when there is none. */
export const codeOf = (error: unknown): string => {
  const code = error instanceof Object && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "";
};

/** What minio threw, below what `wrap` made of it. */
export const rootOf = (error: unknown): unknown =>
  error instanceof Error && error.cause instanceof Error ? rootOf(error.cause) : error;

/** HEAD has no body, so clients name its 404 themselves. */
export const isAbsent = (error: unknown): boolean => ["NoSuchKey", "NotFound"].includes(codeOf(error));

/** Rejects when `promise` takes longer than `ms`. The connection itself ends by its idle limit. */
export const within = async <T>(ms: number, promise: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(silence(ms)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
};

/** Classifies what minio throws: absent, passing, or refused for good. The original is the `cause`. */
export const wrap = (what: string, error: unknown): Error => {
  if (isAbsent(error)) return Object.assign(new Problem("not_found"), { cause: error });
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  const passing = PASSING.test(code) || /socket|Request failed after/i.test(message);
  if (passing) return Object.assign(new Problem("unavailable", "The file storage is away"), { cause: error });
  return new Error(`S3 could not ${what}: ${code === "" ? message : code}`, { cause: error });
};
