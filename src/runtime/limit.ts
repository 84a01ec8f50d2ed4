import { Problem } from "../errors.ts";
import { refuse } from "./refuse.ts";

/**
 * Bounds the body of a request, also where the runtime does not and also when no length is declared.
 * Returns the request to serve, or the 413 to answer. A body that lies about its length fails the
 * reader with `too_large` once it passes the limit.
 */
export const limitBody = (request: Request, maxBytes: number): Request | Response => {
  if (!request.body) return request;
  const declared = request.headers.get("content-length");
  if (declared !== null)
    return Number(declared) <= maxBytes
      ? request
      : refuse(request, new Problem("too_large", `The limit is ${maxBytes} bytes`));
  let size = 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) => {
      size += chunk.byteLength;
      if (size > maxBytes) controller.error(new Problem("too_large", `The limit is ${maxBytes} bytes`));
      else controller.enqueue(chunk);
    },
  });
  // `duplex` is required for a streamed body and missing in the DOM's types.
  const init: RequestInit & { duplex: "half" } = {
    body: request.body.pipeThrough(counter),
    duplex: "half",
    signal: request.signal,
  };
  return new Request(request, init);
};
