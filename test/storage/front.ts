import type { EmbeddedS3Options } from "../../src/embedded/s3/server.ts";
import { listen } from "./listener.ts";
import { startEmbedded } from "./targets.ts";

/** Answers instead of the embedded S3, or passes on what it is given; null and undefined pass on what came. */
export type Intercept = (request: Request) => Response | Request | null | undefined;

/** An error as S3 tells it. `rest`: more elements of the document. */
export const s3Error = (status: number, code: string, rest = ""): Response =>
  new Response(`<?xml version="1.0"?><Error><Code>${code}</Code>${rest}</Error>`, {
    status,
    headers: { "content-type": "application/xml" },
  });

/** The embedded S3 behind a listener that does as it likes. */
export const startFront = async (intercept: Intercept, options: Partial<EmbeddedS3Options> = {}) => {
  const embedded = await startEmbedded(options);
  const front = await listen(async (request) => {
    const given = intercept(request) ?? request;
    return given instanceof Response ? given : embedded.s3.handle(given);
  });
  const close = async () => {
    await front.close();
    await embedded.close();
  };
  return { ...embedded, endpoint: front.origin, close };
};
