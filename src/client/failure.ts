/** Why something came to nothing. `code` is stable: Darkroom's own, or `network`, `timeout`, `storage_refused`. */
export type Failure = Error & {
  code: string;
  /** Of the answer; 0 when there was none. */
  status: number;
  retryable: boolean;
  /** What the server asks to wait, ms; 0: it does not say. */
  afterMs: number;
};

type Details = Pick<Failure, "code"> & Partial<Pick<Failure, "status" | "retryable" | "afterMs">>;

export const failure = (message: string, details: Details): Failure =>
  Object.assign(new Error(message), { status: 0, retryable: false, afterMs: 0, ...details });

/** Statuses of whoever is too busy, or is not who should answer, at the moment. */
export const isPassing = (status: number): boolean => status >= 500 || status === 408 || status === 429;

/** Nobody answered, or not to the end. */
export const unanswered = (error: unknown): Failure => {
  const late = error instanceof Error && error.name === "TimeoutError";
  return failure(late ? "The answer took too long" : "The connection failed", {
    code: late ? "timeout" : "network",
    retryable: true,
  });
};

export const isFailure = (error: unknown): error is Failure => error instanceof Error && "retryable" in error;
