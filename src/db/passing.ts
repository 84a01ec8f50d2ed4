import { Problem } from "../errors.ts";
import { isTransient } from "./sqlstate.ts";

/** Whether the same may succeed later: our own word, or PostgreSQL's. */
export const isPassing = (error: unknown): boolean => (error instanceof Problem ? error.retryable : isTransient(error));
