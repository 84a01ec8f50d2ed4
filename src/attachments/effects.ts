import type { EffectHandler } from "../actors/effects.ts";
import type { Kept, Storage } from "../ports.ts";
import { admitAttachment } from "../storage/admit-attachment.ts";

const AT_ONCE = 8;

/** `verify`: are the uploaded bytes what they claim to be? If so they are stored where no upload URL can write. */
export const createAttachmentEffects = (deps: {
  storage: Storage;
  kept: Kept;
  maxBytes: number;
  tmpDir: string;
  timeoutMs: number;
}): Record<string, EffectHandler> => ({
  verify: {
    timeoutMs: deps.timeoutMs,
    concurrency: AT_ONCE,
    run: async ({ actor, params, signal }) => {
      const admission = await admitAttachment({
        storage: deps.storage,
        kept: deps.kept,
        uploadKey: String(params.uploadKey),
        owner: actor.owner,
        declared: { mime: String(params.mime), size: Number(params.size) },
        maxBytes: deps.maxBytes,
        tmpDir: deps.tmpDir,
        signal,
      });
      if (admission.ok) {
        const { key, sha256, mime, size_bytes } = admission;
        return { type: "verified", object: { key, sha256, mime, size_bytes } };
      }
      if (admission.code === "missing") return { type: "missing" };
      return { type: "refused", code: admission.code, message: admission.message };
    },
    failed: () => ({ type: "unverified" }),
  },
  discard: {
    timeoutMs: deps.timeoutMs,
    concurrency: AT_ONCE,
    run: async ({ params }) => {
      await deps.storage.remove([String(params.uploadKey)]);
      return null;
    },
    failed: () => null,
  },
});
