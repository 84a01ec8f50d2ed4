import { Problem } from "../errors.ts";
import { readWait } from "../http/prefer.ts";
import type { Log } from "../log.ts";
import type { Source } from "../streams/source.ts";
import type { Waits } from "../streams/waits.ts";

type Answer = { request: Request; set: { headers: Record<string, unknown> } };

/**
 * What a request gets that prefers to wait for what it has begun: the whole of it at its end, or null when it is to be
 * told, as ever, that it is under way. What was begun is committed, so nothing here can fail the request.
 */
export const createPatience =
  ({ waits, log }: { waits: Waits; log: Log }) =>
  async <T>({ request, set }: Answer, userId: string, open: () => Promise<Source>): Promise<T | null> => {
    const seconds = readWait(request);
    if (seconds === null) return null;
    try {
      const whole = await waits.untilEnd(userId, await open(), seconds * 1000, request.signal);
      if (whole === null) return null;
      set.headers["preference-applied"] = `wait=${seconds}`;
      return whole as T;
    } catch (error) {
      // That it was deleted meanwhile is no failure of ours.
      if (!(error instanceof Problem)) log.warn({ err: error }, "a request could not wait for the end");
      return null;
    }
  };
export type Patience = ReturnType<typeof createPatience>;
