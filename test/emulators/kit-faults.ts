import type { Asked, Reply } from "./kit.ts";

/**
 * What goes wrong instead of a normal answer. Unless said otherwise the operation is not carried out.
 *
 *   reset_before_read    the connection breaks before the body is read
 *   reset_after_accept   carried out (a submit is billed), then the connection breaks: the answer is lost
 *   hang                 never answered
 *   hang_after_accept    carried out, never answered
 *   html                 a proxy's 502 page
 *   empty                200 without a body
 *   { delayMs }          carried out and answered, late
 *   Reply                this answer instead; with `carriedOut` after the operation was carried out
 */
export type How =
  | "reset_before_read"
  | "reset_after_accept"
  | "hang"
  | "hang_after_accept"
  | "html"
  | "empty"
  | { delayMs: number }
  | (Reply & { delayMs?: undefined; carriedOut?: boolean });

/** `times`: how often it strikes; default once, `Infinity` for a standing fault. */
export type Fault = { on: string; how: How; times?: number; when?: (asked: Asked) => boolean };

export const HTML: Reply = {
  status: 502,
  headers: { "content-type": "text/html" },
  body: "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>",
};

/** The faults that wait for their operation, oldest first. */
export const createFaults = () => {
  let waiting: { fault: Fault; left: number }[] = [];
  return {
    /** Queues a fault; returns how to take it back. */
    add(fault: Fault): () => void {
      const entry = { fault, left: fault.times ?? 1 };
      waiting.push(entry);
      return () => {
        waiting = waiting.filter((other) => other !== entry);
      };
    },
    clear(): void {
      waiting = [];
    },
    /** The fault that strikes this request, counted. */
    take(asked: Asked): How | null {
      const entry = waiting.find(({ fault }) => fault.on === asked.on && (fault.when?.(asked) ?? true));
      if (!entry) return null;
      entry.left -= 1;
      if (entry.left <= 0) waiting = waiting.filter((other) => other !== entry);
      return entry.fault.how;
    },
  };
};
