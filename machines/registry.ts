/** Every kind of actor: its machine, version, and how an older snapshot becomes a current one. */
import type { AnyStateMachine, StateValue } from "xstate";
import { createAttachmentMachine } from "./attachment.ts";
import { attachmentView } from "./attachment.view.ts";
import { type BatchContext, batchMachine, batchView } from "./batch.ts";
import { createDeliveryMachine, type DeliveryContext, deliveryView } from "./delivery.ts";
import type { JobContext } from "./job.context.ts";
import { createJobMachine } from "./job.ts";
import { jobView } from "./job.view.ts";
import type { Policy } from "./policy.ts";
import { type Snapshot, stateName } from "./step.ts";

export type Kind = {
  machine: AnyStateMachine;
  /** Raised with every change that an older snapshot would not survive. */
  version: number;
  /** Brings a snapshot of an older version to this one; throws when it cannot. */
  migrate(snapshot: Snapshot, from: number): Snapshot;
  /** The public word of a snapshot, if the kind has one. */
  status(snapshot: Snapshot): string | null;
  /** The data that its facts carry. */
  view(snapshot: Snapshot): Record<string, unknown>;
  /** The provider account that it uses now, where it can move. */
  account?(snapshot: Snapshot): string | null;
  /** Effects that may be executed twice: a step with only these and no fact may stay in memory. */
  repeatable: readonly string[];
};

export type ActorKind = "job" | "batch" | "attachment" | "delivery";
export type Registry = Record<ActorKind, Kind>;

const contextOf = <C>(snapshot: Snapshot) => snapshot.context as C;
const current = (snapshot: Snapshot) => snapshot;

export const createRegistry = (policy: Policy): Registry => ({
  job: {
    machine: createJobMachine(policy),
    version: 1,
    migrate: current,
    status: (s) => jobView(s.value as StateValue, contextOf<JobContext>(s)).status,
    view: (s) => jobView(s.value as StateValue, contextOf<JobContext>(s)),
    account: (s) => contextOf<Partial<JobContext> | undefined>(s)?.account || null,
    repeatable: ["poll"],
  },
  batch: {
    machine: batchMachine,
    version: 1,
    migrate: current,
    status: (s) => batchView(stateName(s.value), contextOf<BatchContext>(s)).status,
    view: (s) => batchView(stateName(s.value), contextOf<BatchContext>(s)),
    repeatable: [],
  },
  attachment: {
    machine: createAttachmentMachine(policy),
    version: 2,
    // Version 1 knew no uploads in parts, gave up after one verification and ended with `ready`, `rejected`, `expired`.
    migrate: (s) => ({ ...s, context: { uploadId: null, tries: 0, until: 0, ...s.context } }),
    status: (s) => attachmentView(s).state,
    view: attachmentView,
    repeatable: [],
  },
  delivery: {
    machine: createDeliveryMachine(policy),
    version: 1,
    migrate: current,
    status: (s) => deliveryView(stateName(s.value), contextOf<DeliveryContext>(s)).status,
    view: (s) => deliveryView(stateName(s.value), contextOf<DeliveryContext>(s)),
    repeatable: [],
  },
});
