import type { JobContext } from "../../machines/job.context.ts";
import { createJobMachine } from "../../machines/job.ts";
import type { Alternative } from "../../machines/job.words.ts";
import { defaultPolicy, type Policy } from "../../machines/policy.ts";
import { drive } from "./drive.ts";

/** A limit of one attempt that is far away. */
export const TIMEOUT = 600_000;
export const OUTPUT = { url: "https://provider.example/1.png", mime: "image/png" };
export const STORED = {
  id: "output-1",
  sha256: "00",
  mime: "image/png",
  size_bytes: 1,
  raw_key: "raw",
  min_key: "min",
  thumbnails: [],
};

/** A job in virtual time, with the answers that its effects may give. */
export const aJob = ({
  policy = {},
  ...input
}: {
  policy?: Partial<Policy>;
  timeoutMs?: number;
  batch?: string;
  webhook?: boolean;
  alternatives?: Alternative[];
} = {}) => {
  const machine = createJobMachine({ ...defaultPolicy, ...policy });
  const actor = drive(machine, {
    account: "simulated",
    batch: null,
    index: 3,
    timeoutMs: TIMEOUT,
    webhook: false,
    ...input,
  });
  const context = () => actor.snapshot().context as unknown as JobContext;
  const attempt = () => context().attempt ?? "";

  const job = {
    ...actor,
    context,
    /** Params of the latest effect of that name, or undefined. */
    asked: (type: string) => actor.effects().findLast((effect) => effect.type === type)?.params,
    count: (type: string) => actor.effects().filter((effect) => effect.type === type).length,
    accept: (ref = "ref-1") => actor.send("accepted", { attempt: attempt(), ref }),
    reject: (retryable: boolean, afterMs = 0) =>
      actor.send("rejected", { attempt: attempt(), code: "busy", message: "Busy", retryable, afterMs }),
    lose: () => actor.send("ambiguous", { attempt: attempt(), reason: "reset" }),
    notSent: () => actor.send("notSent", { attempt: attempt() }),
    unresolved: () => actor.send("unresolved", { attempt: attempt() }),
    /** The provider has called about the attempt under way; with a ref, its signature proves which one that is. */
    nudge: (ref?: string) => actor.send("nudge", { attempt: attempt(), ...(ref && { ref }) }),
    /** Answers the poll in flight, or the poll `n`. */
    polled: (outcome: Record<string, unknown>, n = context().polls) => actor.send("polled", { n, outcome }),
    canceled: (outcome: string) => actor.send("cancelAnswered", { outcome }),
    ingested: () => actor.send("ingested", { outputs: [STORED] }),
    ingestFailed: (retryable: boolean) =>
      actor.send("ingestFailed", { code: "storage_away", message: "Away", retryable }),

    // Ways there.
    submitting: () => {
      actor.send("start");
      return job;
    },
    waiting: () => {
      job.submitting().accept();
      return job;
    },
    polling: () => {
      job.waiting().pass(actor.wakesIn() ?? 0);
      return job;
    },
    ingesting: () => {
      job.polling().polled({ kind: "completed", outputs: [OUTPUT] });
      return job;
    },
  };
  return job;
};
export type AJob = ReturnType<typeof aJob>;
