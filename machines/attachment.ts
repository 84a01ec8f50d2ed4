/**
 * An upload, from the signed URL to bytes that may be used.
 *
 *   state      entered when                        left when
 *   issued     the upload URL was signed           uploaded (used or notified) · expiry
 *   uploaded   someone says that it is there       verified · refused · missing · unverified · watchdog
 *   pausing    it could not be verified            pauseDelay · uploaded
 *   ready      its bytes are what they claim       uploadEnd
 *   rejected   they are not                        uploadEnd
 *   expired    nobody uploaded in time             uploadEnd
 *   sweeping   no upload can still arrive          discarded · watchdog, at longer and longer intervals
 *   closed     nothing of the upload is left       never
 *
 * The upload is discarded as soon as its fate is known, and once more when nobody can write it any more: until then its
 * URL is good, and a PUT that began before the URL's end may arrive after it.
 */
import { assign, emit, setup } from "xstate";
import type { AttachmentCommand, AttachmentFact, AttachmentInput, VerifiedObject } from "./attachment.words.ts";
import { backoff } from "./backoff.ts";
import {
  defaultPolicy,
  LATE_UPLOAD_MS,
  type Policy,
  RETRY,
  SWEEP,
  SWEEP_TRIES,
  VERIFY_TRIES,
  WATCHDOG_MARGIN_MS,
} from "./policy.ts";
import { type Stamp, stampOf } from "./stamp.ts";

export type AttachmentContext = {
  uploadKey: string;
  /** Of an upload in parts, as the storage names it. */
  uploadId: string | null;
  mime: string;
  size: number;
  expiresAt: number;
  /** Verifications, then sweeps, that came to nothing. */
  tries: number;
  /** When a pause ends. */
  until: number;
  object: VerifiedObject | null;
  error: { code: string; message: string } | null;
};

type Of = { context: AttachmentContext };

/** The upload is not needed any more: its bytes are stored elsewhere, or of no use. */
const discardUpload = {
  type: "discard" as const,
  params: ({ context: { uploadKey, uploadId } }: Of) => ({ uploadKey, uploadId }),
};

/** What becomes of it afterwards, whatever its fate. */
const settled = { uploadEnd: { target: "sweeping" as const, actions: "begin" as const } };

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
      discard: (_, _params: { uploadKey: string; uploadId: string | null }) => {},
      begin: assign({ tries: 0 }),
      pause: assign({
        tries: ({ context }) => context.tries + 1,
        until: ({ context, event }) => stampOf(event).at + backoff(RETRY, context.tries, stampOf(event).draw),
      }),
      countSweep: assign({ tries: ({ context }) => context.tries + 1 }),
      keep: assign({ object: (_, params: { object: VerifiedObject }) => params.object }),
      refuse: assign({ error: (_, params: { code: string; message: string }) => params }),
    },
    guards: {
      verifyTriesLeft: ({ context }) => context.tries < VERIFY_TRIES,
      sweepTriesLeft: ({ context }) => context.tries < SWEEP_TRIES,
    },
    delays: {
      expiry: ({ context, event }) => context.expiresAt - stampOf(event).at,
      verifyWatchdog: () => policy.notAfterMs + policy.verifyTimeoutMs + WATCHDOG_MARGIN_MS,
      pauseDelay: ({ context, event }) => context.until - stampOf(event).at,
      uploadEnd: ({ context, event }) => context.expiresAt + LATE_UPLOAD_MS - stampOf(event).at,
      sweepWatchdog: ({ context, event }) =>
        policy.verifyTimeoutMs + WATCHDOG_MARGIN_MS + backoff(SWEEP, context.tries, stampOf(event).draw),
    },
  }).createMachine({
    id: "attachment",
    context: ({ input }) => ({
      uploadKey: input?.uploadKey ?? "",
      uploadId: input?.uploadId ?? null,
      mime: input?.mime ?? "",
      size: input?.size ?? 0,
      expiresAt: (input?.at ?? 0) + policy.uploadTtlMs,
      tries: 0,
      until: 0,
      object: null,
      error: null,
    }),
    entry: emit({ type: "attachment.issued" }),
    initial: "issued",
    states: {
      issued: {
        after: { expiry: "expired" },
        on: { uploaded: { target: "uploaded", actions: "begin" } },
      },
      uploaded: {
        entry: {
          type: "verify",
          params: ({ context: { uploadKey, mime, size } }) => ({ uploadKey, mime, size }),
        },
        after: { verifyWatchdog: [{ guard: "verifyTriesLeft", target: "pausing" }, { target: "issued" }] },
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
          unverified: [{ guard: "verifyTriesLeft", target: "pausing" }, { target: "issued" }],
        },
      },
      // Somebody was told that it is there: it is looked at again by itself, whoever dies or is away meanwhile.
      pausing: {
        entry: "pause",
        after: { pauseDelay: "uploaded" },
        on: { uploaded: "uploaded" },
      },
      ready: { entry: [emit({ type: "attachment.ready" }), discardUpload], after: settled },
      rejected: { entry: [emit({ type: "attachment.rejected" }), discardUpload], after: settled },
      expired: { entry: [emit({ type: "attachment.expired" }), discardUpload], after: settled },
      sweeping: {
        entry: ["countSweep", discardUpload],
        after: {
          sweepWatchdog: [{ guard: "sweepTriesLeft", target: "sweeping", reenter: true }, { target: "closed" }],
        },
        on: { discarded: "closed" },
      },
      closed: { type: "final" },
    },
  });

/** The machine with default times, for drawing and for tests. */
export const attachmentMachine = createAttachmentMachine(defaultPolicy);
