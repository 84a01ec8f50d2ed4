import { Buffer } from "node:buffer";
import { open, rename } from "node:fs/promises";
import { dirname } from "node:path";

/** Makes a rename or an unlink survive a power cut. Some file systems refuse to sync a directory. */
export const syncDirectory = async (path: string): Promise<void> => {
  const handle = await open(path, "r").catch(() => null);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
};

/** A small file that is there as a whole, or not at all, whenever the power goes out. */
export const writeText = async (path: string, text: string): Promise<void> => {
  const temp = `${path}.new`;
  const bytes = Buffer.from(text);
  const handle = await open(temp, "w");
  try {
    await handle.write(bytes, 0, bytes.length, 0);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temp, path);
  await syncDirectory(dirname(path));
};
