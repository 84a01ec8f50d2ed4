import { Buffer } from "node:buffer";
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { createGate } from "./gate.ts";

// N = 2^15, r = 8, p = 3 is one of OWASP's equal minimums for scrypt; 32 MB and 0.3 s (measured on a
// shared two-core VM).
const DEFAULT_COST = 15;
const BLOCK_SIZE = 8;
const PARALLEL = 3;
const KEY_BYTES = 32;

type Hash = { cost: number; block: number; parallel: number; salt: Buffer; key: Buffer };

const derive = (password: string, { cost, block, parallel, salt, key }: Hash): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const N = 2 ** cost;
    const options = { N, r: block, p: parallel, maxmem: 256 * N * block };
    scrypt(password.normalize("NFKC"), salt, key.length, options, (error, derived) =>
      error ? reject(error) : resolve(derived),
    );
  });

const unpadded = (bytes: Buffer) => bytes.toString("base64").replace(/=+$/, "");

const write = ({ cost, block, parallel, salt, key }: Hash): string =>
  `$scrypt$ln=${cost},r=${block},p=${parallel}$${unpadded(salt)}$${unpadded(key)}`;

// The bounds keep a damaged row from asking for gigabytes.
const read = (text: string): Hash | null => {
  const found = /^\$scrypt\$ln=(\d\d?),r=(\d\d?),p=(\d)\$([\w+/]{11,88})\$([\w+/]{22,88})$/.exec(text);
  if (!found) return null;
  const [, cost, block, parallel, salt = "", key = ""] = found;
  const hash = { cost: Number(cost), block: Number(block), parallel: Number(parallel) };
  if (hash.cost < 1 || hash.cost > 18 || hash.block < 1 || hash.block > 16 || hash.parallel < 1) return null;
  return { ...hash, salt: Buffer.from(salt, "base64"), key: Buffer.from(key, "base64") };
};

/**
 * Password hashes by scrypt, in the PHC string format, so that the cost can be raised later. At most
 * `width` run at a time and `waiting` wait: 32 MB each is a way to exhaust a node.
 */
export const createPasswords = (options: { cost?: number; width?: number; waiting?: number } = {}) => {
  const { cost = DEFAULT_COST, width = 2, waiting = 32 } = options;
  const gate = createGate({ width, waiting });
  const fresh = (): Hash => ({
    cost,
    block: BLOCK_SIZE,
    parallel: PARALLEL,
    salt: randomBytes(16),
    key: Buffer.alloc(KEY_BYTES),
  });
  const nobody = fresh();
  return {
    hash: (password: string): Promise<string> =>
      gate(async () => {
        const hash = fresh();
        return write({ ...hash, key: await derive(password, hash) });
      }),
    /** Whether the password belongs to the hash. Without one (no such user) it takes as long and is false. */
    verify: (password: string, hash: string | null): Promise<boolean> =>
      gate(async () => {
        const known = hash === null ? null : read(hash);
        const derived = await derive(password, known ?? nobody);
        return known !== null && timingSafeEqual(derived, known.key);
      }),
  };
};

export type Passwords = ReturnType<typeof createPasswords>;
