import { createPublicKey, type KeyObject } from "node:crypto";
import type { Log } from "../../log.ts";
import type { Caller } from "../call.ts";

/** fal asks for no more than 24 hours. */
const KEEP_MS = 12 * 3600_000;
/** Signatures that no key fits come from anyone; each of them must not fetch the keys. */
const RENEW_MS = 60_000;
const FETCH_MS = 5_000;
const MAX_BYTES = 64 * 1024;
const MAX_KEYS = 16;

export type Keyring = {
  /** Calls `fits` with each key until one does; the keys are fetched anew, once, when none did. */
  someFits(fits: (key: KeyObject) => boolean): Promise<boolean>;
};

const keysIn = (body: unknown): KeyObject[] => {
  const { keys } = (body ?? {}) as { keys?: unknown };
  return (Array.isArray(keys) ? keys.slice(0, MAX_KEYS) : []).flatMap((key: Record<string, unknown> | null) => {
    if (key?.kty !== "OKP" || key.crv !== "Ed25519" || typeof key.x !== "string") return [];
    try {
      return [createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: key.x }, format: "jwk" })];
    } catch {
      return [];
    }
  });
};

/** fal's webhook keys, fetched when first needed and kept for half a day. Without an answer no key fits. */
export const createKeyring = ({
  call,
  url,
  now,
  log,
}: {
  /** Sends no credentials: the keys are public. */
  call: Caller;
  url: string;
  /** Milliseconds since the epoch. */
  now(): number;
  log: Log;
}): Keyring => {
  let kept: { keys: KeyObject[]; at: number } | null = null;
  let askedAt = Number.NEGATIVE_INFINITY;
  let fetching: Promise<KeyObject[] | null> | null = null;

  const load = async (): Promise<KeyObject[] | null> => {
    askedAt = now();
    const called = await call({ method: "GET", url, signal: AbortSignal.timeout(FETCH_MS), maxBytes: MAX_BYTES });
    const keys = called.kind === "answer" && called.status === 200 ? keysIn(called.body) : [];
    if (keys.length === 0) {
      const reason = called.kind === "answer" ? `HTTP ${called.status}` : called.reason;
      log.warn({ provider: "fal", reason }, "webhook keys could not be fetched");
      return null;
    }
    kept = { keys, at: now() };
    return keys;
  };

  /** One fetch at a time; all who need the keys wait for the same. */
  const fetchKeys = () => {
    fetching ??= load().finally(() => {
      fetching = null;
    });
    return fetching;
  };

  return {
    someFits: async (fits) => {
      const fresh = kept !== null && now() - kept.at < KEEP_MS ? kept.keys : null;
      if (fresh?.some(fits)) return true;
      if (fresh !== null && now() - askedAt < RENEW_MS) return false;
      return (await fetchKeys())?.some(fits) ?? false;
    },
  };
};
