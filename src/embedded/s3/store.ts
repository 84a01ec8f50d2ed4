import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hasLazyBlobs } from "./body.ts";
import { createFiles } from "./files.ts";
import { createMultipart } from "./multipart.ts";
import { createQuota } from "./quota.ts";
import { sweep } from "./sweep.ts";

const HOUR_MS = 3600_000;
/** A body that stalls for more than the idle limit has failed, so an hour-old temporary file is a crash's. */
const TEMP_AGE_MS = HOUR_MS;
const UPLOAD_AGE_MS = 7 * 24 * HOUR_MS;

type StoreOptions = { dir: string; bucket: string; maxBytes: number; maxWrites: number; quotaBytes: number };

/** The bucket on disk: `objects/` (see paths.ts), `uploads/` (multipart), `temp/` (being written). */
export const openStore = async (options: StoreOptions) => {
  const { dir, bucket, maxBytes, maxWrites, quotaBytes } = options;
  const home = join(dir, bucket);
  const [objects, uploads, temp] = [join(home, "objects"), join(home, "uploads"), join(home, "temp")];
  for (const path of [objects, uploads, temp]) await mkdir(path, { recursive: true });
  const format = join(home, "format");
  await writeFile(format, "darkroom s3, format 1\n");
  const quota = await createQuota(home, quotaBytes);
  const files = createFiles(temp, quota, maxWrites);
  return {
    objects,
    files,
    multipart: createMultipart({ dir: uploads, files, quota, maxBytes }),
    lazyBlobs: await hasLazyBlobs(format),
    /** Removes what crashes and abandoned uploads left; answers how many. */
    sweep: async (now: number) => {
      const removed = (await sweep(temp, now, TEMP_AGE_MS)) + (await sweep(uploads, now, UPLOAD_AGE_MS));
      await quota.recount();
      return removed;
    },
  };
};

export type Store = Awaited<ReturnType<typeof openStore>>;
