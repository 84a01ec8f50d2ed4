import assert from "node:assert/strict";
import type { Log } from "../../src/log.ts";
import { proveRoundTrip } from "../../src/storage/round-trip.ts";
import type { S3Options } from "../../src/storage/s3.ts";
import { type Intercept, startFront } from "./front.ts";
import { ORIGIN, storageOn, type Target } from "./targets.ts";

type Changes = Partial<S3Options> & { origins?: string[]; limits?: { call?: number; outside?: number } };

/** Proves the round trip; answers what was said on the way. */
export const prove = async (
  { endpoint, bucket, keys }: Target,
  { origins = [ORIGIN], limits, ...changes }: Changes = {},
) => {
  const lines: string[] = [];
  const write = (_fields: object, line: string) => void lines.push(line);
  await proveRoundTrip({
    options: {
      internal: { endpoint },
      public: { endpoint },
      bucket,
      ...keys,
      pathStyle: true,
      publicUrls: false,
      urlTtlSeconds: 600,
      ...changes,
    },
    origins,
    log: { info: write, warn: write } as unknown as Log,
    limits: { patience: 500, ...limits },
  });
  return lines;
};

/** Fails with this sentence, which holds no secret. */
export const failsWith = (proof: Promise<unknown>, sentence: RegExp) =>
  assert.rejects(proof, (error: Error) => {
    assert.match(error.message, sentence);
    assert.doesNotMatch(error.message, /secret-key|wrong secret|session token of ours|X-Amz-Signature/);
    return true;
  });

/** Closes what was opened. */
export const using = async <T extends { close(): Promise<void> }>(
  opened: Promise<T>,
  use: (opened: T) => Promise<void>,
) => {
  const it = await opened;
  try {
    await use(it);
  } finally {
    await it.close();
  }
};

/** In front of the embedded S3. */
export const through = (intercept: Intercept, use: (front: Awaited<ReturnType<typeof startFront>>) => Promise<void>) =>
  using(startFront(intercept), use);

/** The keys below a prefix. */
export const left = async (target: Target, prefix = "") => {
  const storage = storageOn(target);
  const keys = (await Array.fromAsync(storage.list(prefix))).map(({ key }) => key);
  storage.close();
  return keys;
};
