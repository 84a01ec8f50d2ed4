import { Readable } from "node:stream";

/**
 * The same bytes, failing unless there are exactly `size`: HTTP clients do not check what they promised in
 * Content-Length, and the server would wait for the rest until somebody's time limit. `failure` tells a
 * source that failed from a server that did, whichever of the two the client reports.
 */
export const exactLength = (body: Readable, size: number) => {
  let failure: unknown;
  async function* counted() {
    let sent = 0;
    try {
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        sent += chunk.length;
        if (sent > size) break;
        yield chunk;
      }
      if (sent !== size) throw new Error(`The body has ${sent > size ? "more" : "fewer"} than ${size} bytes`);
    } catch (error) {
      failure = error;
      throw error;
    }
  }
  return { stream: Readable.from(counted(), { objectMode: false }), failure: () => failure };
};
