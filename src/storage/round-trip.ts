import { Buffer } from "node:buffer";
import { randomUUID } from "node:crypto";
import { text } from "node:stream/consumers";
import type { Log } from "../log.ts";
import { ensureCors } from "./cors.ts";
import { PROBES } from "./keys.ts";
import { patiently } from "./patience.ts";
import { createS3Storage, type S3Options } from "./s3.ts";
import { createAgent, createClient } from "./s3-client.ts";
import { codeOf, rootOf } from "./s3-failure.ts";
import { type Asked, sentenceFor } from "./s3-sentence.ts";
import { elementIn, type Visit, visit } from "./visit.ts";

/** Milliseconds: one call; one visit of the public endpoint, which may lead nowhere from here; until a change counts. */
const LIMITS = { call: 5_000, outside: 3_000, patience: 4_000 };
/** What a killed boot left behind is removed by another that long after. */
const LEFTOVER_MS = 3600_000;
const URL_S = 60;
const MIME = "text/plain";
const BODY = "Darkroom looks whether this storage works, and removes this file again.";

type Deps = {
  options: S3Options;
  /** Whose pages use signed URLs, as in `CORS_ORIGINS`. */
  origins: readonly string[];
  log: Log;
  limits?: Partial<typeof LIMITS>;
};

/** Where it is asked. */
type Place = Pick<Asked, "endpoint" | "setting">;
type Request = Omit<Parameters<typeof visit>[1], "limitMs">;

/** An answer that is not the one that was asked for, as minio would throw it. */
const refusal = ({ status, headers, text: body }: Visit): Error =>
  Object.assign(new Error(elementIn(body, "Message") || `HTTP ${status}`), {
    name: "S3Error",
    code: elementIn(body, "Code"),
    region: headers["x-amz-bucket-region"] ?? elementIn(body, "Region"),
  });

const isMissing = (error: unknown) => codeOf(rootOf(error)) === "NoSuchBucket";

/** By the clock that stamps S3's answers. Zero when there is none. */
const clockAhead = async (endpoint: string, limitMs: number): Promise<number> => {
  const answer = await visit(endpoint, { limitMs }).catch(() => null);
  return Date.now() - Date.parse(String(answer?.headers.date)) || 0;
};

/**
 * Proves that what the settings name does all that Darkroom needs: an object is put, read, read and put by signed URLs
 * at the public endpoint, listed and removed. A missing bucket and missing CORS rules are made where that is allowed.
 *
 * Rejects with one sentence that says which setting to change.
 */
export const proveRoundTrip = async ({ options, origins, log, limits: given }: Deps): Promise<void> => {
  const limits = { ...LIMITS, ...given };
  const { bucket, region } = options;
  const inside: Place = { endpoint: options.internal.endpoint, setting: "S3_ENDPOINT_INTERNAL" };
  const outside: Place = { endpoint: options.public.endpoint, setting: "S3_PUBLIC_ENDPOINT" };
  using opened = new DisposableStack();
  const bounded = { call: limits.call, check: limits.call, transfer: limits.call, idle: limits.call };
  const storageWith = (changes: Partial<S3Options>) =>
    opened.adopt(createS3Storage({ ...options, ...changes, limits: bounded }), (storage) => storage.close());
  const storage = storageWith({});
  const id = randomUUID();
  const [probe, uploaded, open] = [`${PROBES.closed}${id}`, `${PROBES.closed}${id}.put`, `${PROBES.open}${id}`];

  const fail = async (error: unknown, asked: Omit<Asked, "bucket" | "region" | "aheadMs">): Promise<never> => {
    const isSkewed = codeOf(rootOf(error)) === "RequestTimeTooSkewed";
    const aheadMs = isSkewed ? await clockAhead(asked.endpoint, limits.call) : undefined;
    throw new Error(sentenceFor(error, { ...asked, bucket, region, aheadMs }), { cause: error });
  };
  const step = <T>(what: string, action: string, promise: Promise<T>): Promise<T> =>
    promise.catch((error) => fail(error, { what, action, ...inside }));
  const visitStep = async (what: string, action: string, place: Place, url: string, request: Request = {}) => {
    const asked = { what, action, ...place, byUrl: true };
    const answer = await visit(url, { ...request, limitMs: limits.call }).catch((error) => fail(error, asked));
    const isGood = answer.status === 200 && (request.method === "PUT" || answer.text === BODY);
    return isGood ? answer : fail(refusal(answer), asked);
  };
  const put = (key: string) => storage.put(key, Buffer.from(BODY), { size: BODY.length, mime: MIME });

  /** Into a bucket that is made when there is none. */
  const putProbe = async () => {
    const attempt = () =>
      put(probe).then(
        () => null,
        (error: unknown) => error,
      );
    let failure = await attempt();
    if (isMissing(failure)) {
      const unmade = await storage.prepare().then(
        () => null,
        (error: unknown) => error,
      );
      // Another node may have made it meanwhile, so why we could not matters only if there still is none.
      failure = await patiently(attempt, (again) => !isMissing(again), unmade === null ? limits.patience : 0);
      if (isMissing(failure) && unmade !== null) {
        await fail(unmade, { what: "make the bucket", action: "s3:CreateBucket", ...inside });
      }
      log.info({ bucket }, "the bucket was missing, and was made");
    }
    if (failure !== null) await fail(failure, { what: "put an object", action: "s3:PutObject", ...inside });
  };

  /** The public endpoint, unless there is no S3 from here: in a container `localhost` is not that of the browsers. */
  const whereBrowsersAre = async (): Promise<Place> => {
    if (new URL(inside.endpoint).origin === new URL(outside.endpoint).origin) return inside;
    const url = await storageWith({ publicUrls: false }).url(probe);
    const answer = await visit(url, { limitMs: limits.outside }).catch((error: unknown) => error as Error);
    if ("text" in answer && (answer.text === BODY || elementIn(answer.text, "Code") !== "")) return outside;
    const error = "text" in answer ? refusal(answer) : answer;
    const why = sentenceFor(error, { what: "read a signed URL", action: "s3:GetObject", ...outside, bucket, region });
    log.warn(
      { public: outside.endpoint },
      `Signed URLs could not be tried where browsers use them, only at ${inside.endpoint}. ${why}`,
    );
    return inside;
  };

  const trySignedUrls = async (place: Place) => {
    const signer = storageWith({ public: { endpoint: place.endpoint }, publicUrls: false });
    await visitStep("read an object by a signed URL", "s3:GetObject", place, await signer.url(probe));
    const url = await signer.presignPut(uploaded, URL_S);
    const request = { method: "PUT", headers: { "content-type": MIME }, body: BODY };
    await visitStep("put an object by a signed URL", "s3:PutObject", place, url, request);
    const stored = await step("look at an object", "s3:GetObject", storage.stat(uploaded));
    if (stored?.size !== BODY.length) {
      throw new Error(
        `What is put at ${place.endpoint} is not where ${inside.endpoint} has it: look at ${place.setting}`,
      );
    }
    const agent = opened.adopt(createAgent(inside.endpoint, 1), (each) => each.destroy());
    const client = createClient(inside.endpoint, options, agent, limits.call);
    const patience = { limitMs: limits.call, patienceMs: limits.patience };
    await ensureCors({ client, bucket, region, url, origins, log, ...patience });
  };

  const tryPublicUrl = async (place: Place) => {
    await step("put an object", "s3:PutObject", put(open));
    const url = await storageWith({ public: { endpoint: place.endpoint } }).url(open);
    // A policy that another node has just put may need a while.
    const look = () => step("read in public", "s3:GetObject", visit(url, { limitMs: limits.call }));
    const answer = await patiently(look, ({ status }) => status === 200, limits.patience);
    if (answer.status === 200 && answer.text === BODY) return;
    const told = elementIn(answer.text, "Code") || `HTTP ${answer.status}`;
    throw new Error(
      `USE_PUBLIC_URLS=1, but S3 does not let everybody read ${bucket} (${told}): allow s3:GetObject to everybody on ` +
        "media/* and attachments/* by a bucket policy (on AWS without Block Public Access), or set USE_PUBLIC_URLS=0",
    );
  };

  const removeLeftovers = async () => {
    const left: string[] = [];
    for (const prefix of [PROBES.closed, PROBES.open]) {
      for await (const { key, modified } of storage.list(prefix)) {
        if (Date.now() - modified > LEFTOVER_MS) left.push(key);
      }
    }
    await storage.remove(left);
  };

  await putProbe();
  const probes = [probe, uploaded, ...(options.publicUrls ? [open] : [])];
  try {
    const read = await step("read an object", "s3:GetObject", storage.get(probe).then(text));
    const other = refusal({ status: 200, headers: {}, text: read });
    if (read !== BODY) await fail(other, { what: "read an object", action: "s3:GetObject", ...inside });
    const place = await whereBrowsersAre();
    await trySignedUrls(place);
    if (options.publicUrls) await tryPublicUrl(place);
  } catch (error) {
    await storage.remove(probes).catch(() => undefined);
    throw error;
  }
  await step("remove objects", "s3:DeleteObject", storage.remove(probes));
  await step("list the bucket", "s3:ListBucket", removeLeftovers());
};
