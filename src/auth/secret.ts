import { randomBytes } from "node:crypto";
import { link, mkdir, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../config.ts";

const FILE = "jwt-secret";
const MIN_BYTES = 32;

const isMissing = (error: unknown) => error instanceof Error && "code" in error && error.code === "ENOENT";

const readSecret = async (path: string): Promise<Uint8Array | null> => {
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(await readFile(path));
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  if (bytes.length < MIN_BYTES) throw new Error(`${path} is too short to be a secret: remove it, or set JWT_SECRET`);
  return bytes;
};

// Linked into place when it is whole: a crash leaves no half of it, and of two nodes one wins.
const createSecret = async (directory: string, path: string): Promise<void> => {
  await mkdir(directory, { recursive: true });
  const draft = `${path}.${randomBytes(6).toString("hex")}`;
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(randomBytes(48).toString("base64url"));
    await file.sync();
    await link(draft, path).catch((error) => {
      if (error.code !== "EEXIST") throw error;
    });
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
};

/**
 * The secret that signs tokens: the bytes of `JWT_SECRET` as given, else a random one kept in
 * `DATA_DIR/jwt-secret`, readable by its owner only, so that tokens outlive a restart.
 */
export const loadSecret = async (config: Pick<Config, "JWT_SECRET" | "DATA_DIR">): Promise<Uint8Array> => {
  if (config.JWT_SECRET) return new TextEncoder().encode(config.JWT_SECRET);
  const path = join(config.DATA_DIR, FILE);
  const known = await readSecret(path);
  if (known) return known;
  await createSecret(config.DATA_DIR, path);
  const created = await readSecret(path);
  if (!created) throw new Error(`${path} vanished while it was made`);
  return created;
};
