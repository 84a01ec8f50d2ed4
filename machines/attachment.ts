/**
 * An upload, from the signed URL to bytes that may be used.
 *
 *   state      entered when                        left when
 *   issued     the upload URL was signed           uploaded (used or notified) · expiry
 *   uploaded   someone says that it is there       verified · refused · missing · unverified · watchdog
 *   ready      its bytes are what they claim       never
 *   rejected   they are not                        never
 *   expired    nobody uploaded in time             never
 */
import { assign, emit, setup } from "xstate";
import type { AttachmentCommand, AttachmentFact, AttachmentInput, VerifiedObject } from "./attachment.words.ts";
import { defaultPolicy, type Policy, WATCHDOG_MARGIN_MS } from "./policy.ts";
import { type Stamp, stampOf } from "./stamp.ts";

export type AttachmentContext = {
  uploadKey: string;
  mime: string;
  size: number;
  expiresAt: number;
  object: VerifiedObject | null;
  error: { code: string; message: string } | null;
};

/** The upload is not needed any more: its bytes are stored elsewhere, or of no use. */
const discardUpload = {
  type: "discard" as const,
  params: ({ context }: { context: AttachmentContext }) => ({ uploadKey: context.uploadKey }),
};

/** Builds the machine for one policy; `attachmentMachine` has the defaults. */
export const createAttachmentMachine = (policy: Policy) =>
  setup({
    types: {
      context: {} as AttachmentContext,
      input: {} as AttachmentInput & Stamp,
      events: {} as AttachmentCommand,
      emitted: {} as { type: AttachmentFact },
    },
    actions: {
      verify: (_, _params: { uploadKey: string; mime: string; size: number }) => {},
      discard: (_, _params: { uploadKey: string }) => {},
      keep: assign({ object: (_, params: { object: VerifiedObject }) => params.object }),
      refuse: assign({ error: (_, params: { code: string; message: string }) => params }),
    },
    delays: {
      expiry: ({ context, event }) => context.expiresAt - stampOf(event).at,
      verifyWatchdog: () => policy.notAfterMs + policy.verifyTimeoutMs + WATCHDOG_MARGIN_MS,
    },
  }).createMachine({
    id: "attachment",
    context: ({ input }) => ({
      uploadKey: input?.uploadKey ?? "",
      mime: input?.mime ?? "",
      size: input?.size ?? 0,
      expiresAt: (input?.at ?? 0) + policy.uploadTtlMs,
      object: null,
      error: null,
    }),
    entry: emit({ type: "attachment.issued" }),
    initial: "issued",
    states: {
      issued: {
        after: { expiry: "expired" },
        on: { uploaded: "uploaded" },
      },
      uploaded: {
        entry: {
          type: "verify",
          params: ({ context: { uploadKey, mime, size } }) => ({ uploadKey, mime, size }),
        },
        after: { verifyWatchdog: "issued" },
        on: {
          verified: {
            target: "ready",
            actions: { type: "keep", params: ({ event }) => ({ object: event.object }) },
          },
          refused: {
            target: "rejected",
            actions: { type: "refuse", params: ({ event }) => ({ code: event.code, message: event.message }) },
          },
          missing: "issued",
          unverified: "issued",
        },
      },
      ready: { type: "final", entry: [emit({ type: "attachment.ready" }), discardUpload] },
      rejected: { type: "final", entry: [emit({ type: "attachment.rejected" }), discardUpload] },
      expired: { type: "final", entry: [emit({ type: "attachment.expired" }), discardUpload] },
    },
  });

/** The machine with default times, for drawing and for tests. */
export const attachmentMachine = createAttachmentMachine(defaultPolicy);
