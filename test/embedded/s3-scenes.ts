/** Requests that change what an embedded S3 holds, and what anybody sees of it. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { startNeighbour } from "../bench/neighbour.ts";
import { clientOn, startEmbedded, storageOn, type Target } from "../storage/targets.ts";
import { temporaryDirectory } from "../support/directory.ts";

const MORTAL = new URL("s3-mortal.ts", import.meta.url).href;
const MOST_CHANGES = 100;
const [OLD, NEW] = [Buffer.alloc(150_000, "old"), Buffer.alloc(100_000, "new")];
/** As small as a part may be. */
const ONE = Buffer.alloc(5 * 1024 * 1024, "one");

const md5 = (bytes: Buffer) => createHash("md5").update(bytes).digest("hex");

export type Server = { target: Target; storage: ReturnType<typeof storageOn>; client: ReturnType<typeof clientOn> };

/** `act` is the request that is interrupted; `prepare` makes what it needs. Both know the upload as `id`. */
type Scene = {
  name: string;
  prepare(server: Server): Promise<string | undefined>;
  act(server: Server, id: string): Promise<unknown>;
};

const put = ({ storage }: Server, key: string, bytes: Buffer, mime = "image/png") =>
  storage.put(key, bytes, { size: bytes.length, mime });
const begin = ({ target, client }: Server) => client.initiateNewMultipartUpload(target.bucket, "a", {});
const part = ({ target, client }: Server, uploadID: string, partNumber: number, bytes: Buffer) =>
  client.uploadPart({ bucketName: target.bucket, objectName: "a", uploadID, partNumber, headers: {} }, bytes);

const withOld = async (server: Server) => {
  await put(server, "a", OLD);
  return undefined;
};

export const SCENES: readonly Scene[] = [
  { name: "a first upload", prepare: async () => undefined, act: (server) => put(server, "a/b", NEW) },
  { name: "an upload over an older one", prepare: withOld, act: (server) => put(server, "a", NEW, "image/webp") },
  {
    name: "an upload that must be the first",
    prepare: async () => undefined,
    act: async ({ storage }) => {
      const init = { method: "PUT", body: new Uint8Array(NEW), headers: { "if-none-match": "*" } };
      const answer = await fetch(await storage.presignPut("a", 60), init);
      if (!answer.ok) throw new Error(await answer.text());
    },
  },
  {
    name: "a copy",
    prepare: async (server) => {
      await put(server, "b", NEW);
      return withOld(server);
    },
    act: ({ storage }) => storage.copy("b", "a", "image/webp"),
  },
  { name: "a removal", prepare: withOld, act: ({ storage }) => storage.remove(["a"]) },
  { name: "the begin of an upload in parts", prepare: withOld, act: begin },
  {
    name: "a part over an older one",
    prepare: async (server) => {
      const id = await begin(server);
      await part(server, id, 1, OLD);
      return id;
    },
    act: (server, id) => part(server, id, 1, NEW),
  },
  {
    name: "the joining of parts",
    prepare: async (server) => {
      await withOld(server);
      const id = await begin(server);
      await part(server, id, 1, ONE);
      await part(server, id, 2, NEW);
      return id;
    },
    act: ({ target, client }, id) => {
      const etags = [ONE, NEW].map((bytes, index) => ({ part: index + 1, etag: md5(bytes) }));
      return client.completeMultipartUpload(target.bucket, "a", id, etags);
    },
  },
  {
    name: "the giving up of parts",
    prepare: async (server) => {
      const id = await begin(server);
      for (const number of [1, 2, 3]) await part(server, id, number, OLD);
      return id;
    },
    act: ({ target, client }, id) => client.abortMultipartUpload(target.bucket, "a", id),
  },
];

const serve = (target: Target): Server => ({ target, storage: storageOn(target), client: clientOn(target) });

/** Everything that anybody can see, each thing once. */
export const look = async ({ target, storage, client }: Server) => {
  const [objects, uploads] = [new Set<string>(), new Set<string>()];
  for await (const { name, size, etag } of client.listObjectsV2(target.bucket, "", true)) {
    const found = await storage.stat(name);
    assert.deepEqual([found?.size, found?.etag], [size, etag]);
    objects.add(`${name}: ${found?.mime} ${etag} ${size} ${md5(await buffer(await storage.get(name)))}`);
  }
  for await (const { key, size } of client.listIncompleteUploads(target.bucket, "", true))
    uploads.add(`${key}: ${size}`);
  return { objects: [...objects].join(), uploads: [...uploads].join() };
};

/** Starts an S3 on `dir` in this process. */
export const on = async <T>(dir: string, use: (server: Server) => Promise<T>): Promise<T> => {
  const target = await startEmbedded({ dir });
  const server = serve(target);
  try {
    return await use(server);
  } finally {
    server.storage.close();
    await target.close();
  }
};

type Seen = Awaited<ReturnType<typeof look>>;

/** How one request went: `error` when it did not get through. `act` asks again. */
export type Round = {
  dir: string;
  change: number;
  error: unknown;
  before: Seen;
  after: Seen;
  act(server: Server): Promise<unknown>;
};

type Checks = { living?(round: Round, server: Server): Promise<void>; afterwards?(round: Round): Promise<void> };

/**
 * Runs a scene with a fault at the first change to the disk, then at the second, and so on until the request gets
 * through; each time on a server of its own, from the same beginning. The checks look at each of them: while it lives,
 * and when it is gone.
 */
export const atEachChange = async (scene: Scene, fault: "kill" | "full", { living, afterwards }: Checks) => {
  const home = await temporaryDirectory();
  const [template, dir] = [join(home, "template"), join(home, "tried")];
  const reset = async () => {
    await rm(dir, { recursive: true, force: true });
    await cp(template, dir, { recursive: true });
  };
  const run = async (round: Round): Promise<Round> => {
    await using target = await startNeighbour<Target>(MORTAL, { DIR: dir, FAULT: fault, FAULT_AT: `${round.change}` });
    const server = serve(target);
    try {
      const error = await round.act(server).then(
        () => null,
        (reason) => reason,
      );
      await living?.({ ...round, error }, server);
      return { ...round, error };
    } finally {
      server.storage.close();
    }
  };
  try {
    const { id, before } = await on(template, async (server) => {
      const id = (await scene.prepare(server)) ?? "";
      return { id, before: await look(server) };
    });
    const act = (server: Server) => scene.act(server, id);
    await reset();
    const after = await on(dir, (server) => act(server).then(() => look(server)));
    for (let change = 1; ; change++) {
      await reset();
      const round = await run({ dir, change, error: null, before, after, act });
      await afterwards?.(round);
      if (round.error === null) return change - 1;
      assert.ok(change < MOST_CHANGES, "it never gets through");
    }
  } finally {
    await rm(home, { recursive: true, force: true });
  }
};
