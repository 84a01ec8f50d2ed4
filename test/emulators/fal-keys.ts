import { Buffer } from "node:buffer";
import { createHash, createPrivateKey, createPublicKey, randomBytes, sign } from "node:crypto";
import type { Signer } from "./kit-webhooks.ts";

/** DER of an Ed25519 private key, up to its 32 bytes. */
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");

/** The seed of the published test vector. */
export const VECTOR_SEED = Buffer.alloc(32, 7);

const keyOf = (seed: Uint8Array) =>
  createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: "der", type: "pkcs8" });

/** The public half, as a JWKS lists it. */
export const publicJwk = (seed: Uint8Array) => ({
  kid: createHash("sha256").update(seed).digest("hex").slice(0, 8),
  ...createPublicKey(keyOf(seed)).export({ format: "jwk" }),
});

/** Signs as fal does, with the key of `seed`, for the user `userId`. The message's id is the request's. */
export const signFal =
  (seed: Uint8Array, userId: string): Signer =>
  ({ id, body, at }) => {
    const timestamp = String(Math.floor(at / 1000));
    const digest = createHash("sha256").update(body).digest("hex");
    const message = Buffer.from([id, userId, timestamp, digest].join("\n"));
    return {
      "x-fal-webhook-request-id": id,
      "x-fal-webhook-user-id": userId,
      "x-fal-webhook-timestamp": timestamp,
      "x-fal-webhook-signature": sign(null, message, keyOf(seed)).toString("hex"),
    };
  };

/** The emulator's signing keys: the newest signs, and the JWKS lists what is not retired. */
export const createSigningKeys = (userId: string) => {
  let seeds: Uint8Array[] = [VECTOR_SEED];
  return {
    jwks: () => ({ keys: seeds.map(publicJwk) }),
    sign: ((message) => signFal(seeds.at(-1) ?? VECTOR_SEED, userId)(message)) satisfies Signer,
    /** Signs with a new key from now on; the old ones stay listed with `keep`. */
    rotate: ({ keep = false } = {}): void => {
      seeds = [...(keep ? seeds : []), randomBytes(32)];
    },
  };
};
