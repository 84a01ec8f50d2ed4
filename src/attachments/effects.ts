import type { EffectHandler } from "../actors/effects.ts";
import type { Kept, Storage } from "../ports.ts";
import { admitAttachment } from "../storage/admit-attachment.ts";

/** A large image is held in memory as a whole, up to twice, while it is made anew. */
const AT_ONCE = 4;

/**
 * `verify`: are the uploaded bytes what they claim to be? If so they are stored where no upload URL can write.
 * `discard`: what was uploaded goes, and the parts of what was not completed.
 */
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
        const { ok: _, ...object } = admission;
        return { type: "verified", object };
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
      const key = String(params.uploadKey);
      if (typeof params.uploadId === "string") await deps.storage.multipart.abort(key, params.uploadId);
      await deps.storage.remove([key]);
      return { type: "discarded" };
    },
    failed: () => null,
  },
});
