/**
 * The four doors to the outside world. Implementations live in `bus/`, `storage/`, `providers/`
 * and `embedded/`; only `app.ts` imports them. Each port has one contract suite in `test/`.
 */
import type { Readable } from "node:stream";

/** Time. `now()` is milliseconds since the epoch on PostgreSQL's clock; it never goes back. */
export interface Clock {
  now(): number;
  /** Calls `fire` once, `ms` from now (clamped to what a native timer can hold). Returns cancel. */
  after(ms: number, fire: () => void): () => void;
}

/** Randomness and identity, handed in so that a run can be replayed from its seed. */
export interface Draws {
  /** Uniform in [0, 1). */
  random(): number;
  /** A UUIDv7. */
  id(): string;
}

/** A committed, past-tense event of one stream. `seq` is gap-free per stream, `ownerSeq` per owner. */
export type Fact = {
  id: string;
  stream: string;
  seq: number;
  owner: string;
  ownerSeq: number;
  /** Past tense, `<actor kind>.<verb>`, e.g. `job.succeeded`. */
  type: string;
  /** Milliseconds since the epoch. */
  at: number;
  actorKind: string;
  actorId: string;
  data: Record<string, unknown>;
  /** W3C trace context of the request that caused it, at once or through its actor; null: none did. */
  traceparent: string | null;
};

/** The snapshot of a machine that lives in a node's memory: its own life, or a breaker of one of its providers. */
export type Sighting = {
  id: string;
  node: string;
  machine: "node" | "breaker";
  /** Whose breaker; null for the node itself. */
  provider: string | null;
  /** By its path, e.g. `draining.leaving`. */
  state: string;
  context: Record<string, unknown>;
  /** Milliseconds since the epoch. */
  at: number;
};

/** The storage of a durable bus, as all nodes know it. */
export type KnownStorage = {
  name: string;
  /** How often it lost what it had acknowledged. */
  losses: number;
  /** The highest number that it gave since, to any node. */
  head: number;
};

/** How nodes hear of each other's facts. Delivery is a hint: the log is the truth. */
export interface Bus {
  /** Whether facts outlive this process on the bus, so that the relay must publish each of them. */
  readonly durable: boolean;
  /** Tells this process's own subscribers at once. Never throws. */
  announce(facts: readonly Fact[]): void;
  /** Publishes in order; resolves to how many were durably taken before the first failure. */
  publish(facts: readonly Fact[]): Promise<number>;
  /** Calls back for the facts of a line (`bus/lines.ts`) that any node announces or publishes. Returns unsubscribe. */
  subscribe(line: string, listener: (fact: Fact) => void): () => void;
  /** Shows a snapshot to whoever is listening outside right now. It is not kept and can be lost. Never throws. */
  exhibit(sighting: Sighting): void;
  /**
   * Looks at the storage. Another `name` than the known one: it was made anew. `lost`: it is the same, without what it
   * had acknowledged; so until it is known with one loss more.
   */
  storage(known: KnownStorage | null): Promise<{ name: string; head: number; lost: boolean }>;
  check(): Promise<void>;
  close(): Promise<void>;
}

export type StoredObject = { size: number; mime: string; etag: string };
/** `modified`: milliseconds since the epoch, on the storage's clock. */
export type ListedObject = { key: string; size: number; modified: number };

/**
 * Whether an object is there, and stays until a row names it: that has to be within OBJECT_GRACE_S from now. Only then
 * may who wants to store it skip that.
 */
export type Kept = (key: string) => Promise<boolean>;

export type StoredPart = { number: number; etag: string; size: number };

/** Large uploads, part by part: each may be repeated by itself. Every part but the last has at least 5 MiB. */
export interface MultipartStorage {
  /** Begins an upload; resolves to its id. */
  create(key: string, mime: string): Promise<string>;
  /** A URL that takes one part, `part` from 1 on, by PUT. */
  presign(key: string, uploadId: string, part: number, seconds: number): Promise<string>;
  /** What has arrived, in order; null when there is no such upload (any more). */
  parts(key: string, uploadId: string): Promise<StoredPart[] | null>;
  /** Joins the parts, in ascending order, into the object. False: there is no such upload (any more). */
  complete(key: string, uploadId: string, parts: readonly Omit<StoredPart, "size">[]): Promise<boolean>;
  /** Discards an upload and its parts. Absent is as good as aborted. */
  abort(key: string, uploadId: string): Promise<void>;
  /**
   * Uploads below `prefix` that are neither complete nor aborted. `begunAt`: ms since the epoch. MinIO tells only those of
   * one whole key; it removes all of them by itself after a day.
   */
  open(prefix: string): AsyncIterable<{ key: string; uploadId: string; begunAt: number }>;
}

/** Any S3. Keys never start with a slash. Signed URLs name the public endpoint. */
export interface Storage {
  put(key: string, body: Buffer | Readable, meta: { size: number; mime: string }): Promise<void>;
  /** Rejects with `Problem("not_found")` when the object is absent. */
  get(key: string): Promise<Readable>;
  stat(key: string): Promise<StoredObject | null>;
  copy(from: string, to: string, mime: string): Promise<void>;
  remove(keys: readonly string[]): Promise<void>;
  /** What lies below `prefix`, in the order of the keys. */
  list(prefix: string): AsyncIterable<ListedObject>;
  /**
   * A URL that a browser can open: presigned, or permanent when `USE_PUBLIC_URLS=true`. With a `filename` one that saves
   * the object under it: always presigned, as only a signature can ask for that.
   */
  url(key: string, save?: { filename: string }): Promise<string>;
  /** A URL for a provider to read an input from: the same for the same `at` (ms), good for a day from then. */
  inputUrl(key: string, at: number): Promise<string>;
  presignPut(key: string, seconds: number): Promise<string>;
  presignPost(
    key: string,
    policy: { mime: string; maxBytes: number; seconds: number },
  ): Promise<{ url: string; fields: Record<string, string> }>;
  readonly multipart: MultipartStorage;
  /** Creates the bucket where allowed. */
  prepare(): Promise<void>;
  check(): Promise<void>;
}

/** What a provider is asked to make. */
export type Generation = {
  /** Our attempt id: idempotency key, and tag to find a lost submit by. */
  attempt: string;
  model: string;
  tool: string;
  prompt: string;
  params: Record<string, unknown>;
  /** URLs of input media, readable by the provider. */
  inputs: string[];
  /** Milliseconds since the epoch after which the result is no longer wanted. */
  deadline: number;
  /** Where the provider may call us when something changed; null when we cannot be reached. Names the attempt. */
  webhook: string | null;
};

export type SubmitOutcome =
  | { kind: "accepted"; ref: string }
  | { kind: "rejected"; retryable: true; code: string; afterMs: number }
  | { kind: "rejected"; retryable: false; code: string; message: string }
  | { kind: "ambiguous"; reason: string };

/** `find` looks for a submit whose answer was lost. `absent` is only ever a hint, never a proof. */
export type FindOutcome = { kind: "found"; ref: string } | { kind: "absent" } | { kind: "unknown" };

export type RemoteOutput = { url: string; mime?: string };

/** What the provider says that it billed, in its own unit. */
export type Cost = { amount: number; unit: string };

/** `logs`: the last few lines, bounded. `progress`: 0 to 1. */
export type CheckOutcome =
  | { kind: "queued"; position?: number }
  | { kind: "running"; progress?: number; logs?: string }
  | { kind: "completed"; outputs: RemoteOutput[]; cost?: Cost }
  | { kind: "failed"; code: string; message: string; retryable: boolean }
  | { kind: "moderated" }
  | { kind: "canceled" }
  | { kind: "gone" }
  /** `throttledMs`: it answered, and wants no status call of this account for so long. */
  | { kind: "unknown"; reason: string; throttledMs?: number };

export type CancelOutcome =
  | { kind: "canceled" }
  | { kind: "refused" }
  | { kind: "already_finished" }
  | { kind: "unknown"; reason: string };

/** One delivery of a provider's webhook, as it came over the wire. */
export type WebhookDelivery = { headers: Headers; body: Uint8Array; receivedAt: number };

/**
 * `id` is the same for every redelivery. `unsigned`: the provider does not sign (yet), so the token in the URL is
 * all there is. Whatever it says, a delivery only ever is a nudge to poll.
 */
export type WebhookVerdict =
  | { ok: true; id: string; signed: boolean }
  | { ok: false; reason: "bad_signature" | "stale" | "malformed" };

/** A generation service. Calls never retry by themselves and honour `signal`. Outcomes are closed sets. */
export interface Provider {
  readonly name: string;
  readonly capabilities: {
    /** The same attempt id submitted again answers with the same ref and bills once. */
    idempotentSubmit: boolean;
    findable: boolean;
    webhooks: boolean;
    cancel: boolean;
  };
  /** What the account allows, calls a minute; absent: no limit known. */
  readonly rates?: { submits?: number; checks?: number };
  submit(generation: Generation, signal: AbortSignal): Promise<SubmitOutcome>;
  find(attempt: string, submittedAt: number, signal: AbortSignal): Promise<FindOutcome>;
  check(ref: string, signal: AbortSignal): Promise<CheckOutcome>;
  cancel(ref: string, signal: AbortSignal): Promise<CancelOutcome>;
  /** The ref that a verified delivery proves: its id names the request. For providers that cannot be searched. */
  refOf?(model: string, deliveryId: string): string | null;
  /** Judges a webhook delivery by the raw bytes. Absent when `capabilities.webhooks` is false. */
  verify?(delivery: WebhookDelivery): Promise<WebhookVerdict>;
  /** Streams one output. `size` when the provider tells it. Rejects when it is gone. */
  download(output: RemoteOutput, signal: AbortSignal): Promise<{ body: Readable; size?: number; mime?: string }>;
}
