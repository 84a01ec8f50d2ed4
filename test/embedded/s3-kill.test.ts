/**
 * An embedded S3 that is killed, and loses what it has not synced, at each single change that a request makes to its
 * disk, one after another, until the request gets through.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { cp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { describe, it } from "node:test";
import { startNeighbour } from "../bench/neighbour.ts";
import { clientOn, startEmbedded, storageOn, type Target } from "../storage/targets.ts";
import { temporaryDirectory } from "../support/directory.ts";

const MORTAL = new URL("s3-mortal.ts", import.meta.url).href;
const DAY_MS = 24 * 3600_000;
const [OLD, NEW] = [Buffer.alloc(150_000, "old"), Buffer.alloc(100_000, "new")];
/** As small as a part may be. */
const ONE = Buffer.alloc(5 * 1024 * 1024, "one");

const md5 = (bytes: Buffer) => createHash("md5").update(bytes).digest("hex");

type Server = { target: Target; storage: ReturnType<typeof storageOn>; client: ReturnType<typeof clientOn> };

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

const SCENES: readonly Scene[] = [
  { name: "a first upload", prepare: async () => undefined, act: (server) => put(server, "a/b", NEW) },
  { name: "an upload over an older one", prepare: withOld, act: (server) => put(server, "a", NEW, "image/webp") },
  {
    name: "an upload that must be the first",
    prepare: async () => undefined,
    act: async ({ storage }) => {
      const init = { method: "PUT", body: new Uint8Array(NEW), headers: { "if-none-match": "*" } };
      return fetch(await storage.presignPut("a", 60), init);
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
const look = async ({ target, storage, client }: Server) => {
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
const on = async <T>(dir: string, use: (server: Server) => Promise<T>): Promise<T> => {
  const target = await startEmbedded({ dir });
  const server = serve(target);
  try {
    return await use(server);
  } finally {
    server.storage.close();
    await target.close();
  }
};

/** What a sweep leaves of all that is no object, long afterwards. */
const leftovers = async (dir: string): Promise<string[]> => {
  const target = await startEmbedded({ dir, now: () => Date.now() + 9 * DAY_MS });
  await target.close();
  const home = join(dir, target.bucket);
  const names = [...(await readdir(join(home, "temp"))), ...(await readdir(join(home, "uploads")))];
  const files = await readdir(join(home, "objects"), { recursive: true });
  return [...names, ...files.filter((name) => !/\.[od]$/.test(name))];
};

/** Whether the request got through, on a server that dies at `change`. */
const survives = async (dir: string, change: number, act: (server: Server) => Promise<unknown>): Promise<boolean> => {
  await using target = await startNeighbour<Target>(MORTAL, { DIR: dir, DIES_AT: String(change) });
  const server = serve(target);
  try {
    await act(server);
    return true;
  } catch {
    return false;
  } finally {
    server.storage.close();
  }
};

describe("a kill of the embedded S3 at any change to its disk leaves the old or the new, whole, during", () => {
  for (const { name, prepare, act } of SCENES) {
    it(name, { timeout: 300_000 }, async () => {
      const home = await temporaryDirectory();
      try {
        const [template, dir] = [join(home, "template"), join(home, "killed")];
        const { id, before } = await on(template, async (server) => {
          const id = (await prepare(server)) ?? "";
          return { id, before: await look(server) };
        });
        await cp(template, dir, { recursive: true });
        const after = await on(dir, async (server) => {
          await act(server, id);
          return look(server);
        });
        for (let change = 1, done = false; !done; change++) {
          await rm(dir, { recursive: true });
          await cp(template, dir, { recursive: true });
          done = await survives(dir, change, (server) => act(server, id));
          assert.ok(change > 1 || !done, "it was not killed");
          await on(dir, async (server) => {
            const now = await look(server);
            for (const kind of ["objects", "uploads"] as const) {
              const wanted = done ? [after[kind]] : [before[kind], after[kind]];
              assert.ok(wanted.includes(now[kind]), `killed at change ${change}: ${kind} ${now[kind]}`);
            }
            await act(server, id).catch(() => undefined);
            assert.deepEqual(await look(server), after, `killed at change ${change}, then asked again`);
          });
          assert.deepEqual(await leftovers(dir), []);
        }
      } finally {
        await rm(home, { recursive: true, force: true });
      }
    });
  }
});
