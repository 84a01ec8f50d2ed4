import { RetentionPolicy, StorageType, type StreamConfig } from "nats";
import type { NatsSettings } from "../config/nats.ts";
import { ALL_SUBJECTS, isOurs, STREAM } from "./subjects.ts";

const NANOS = 1_000_000_000;
const WINDOW_S = 120;
/** What the largest fact takes with its headers, and room; see test/bus/largest.test.ts. */
export const LARGEST_FACT = 128 * 1024;

type Wanted = Pick<StreamConfig, "num_replicas" | "max_age" | "max_bytes" | "duplicate_window">;
export type Changes = Partial<Wanted & Pick<StreamConfig, "subjects">>;

/** What the settings say; where they say nothing, a stream stays as it is. */
export const wantedBy = (config: NatsSettings): Partial<Wanted> => {
  const { NATS_STREAM_REPLICAS, NATS_STREAM_MAX_AGE_S, NATS_STREAM_MAX_BYTES, NATS_DEDUPE_WINDOW_S } = config;
  return {
    ...(NATS_STREAM_REPLICAS !== undefined && { num_replicas: NATS_STREAM_REPLICAS }),
    ...(NATS_STREAM_MAX_AGE_S !== undefined && { max_age: NATS_STREAM_MAX_AGE_S * NANOS }),
    ...(NATS_STREAM_MAX_BYTES !== undefined && { max_bytes: NATS_STREAM_MAX_BYTES || -1 }),
    ...(NATS_DEDUPE_WINDOW_S !== undefined && { duplicate_window: NATS_DEDUPE_WINDOW_S * NANOS }),
  };
};

/** JetStream takes no window that is longer than the age. */
const windowWithin = (age: number | undefined, window: number) => (age ? Math.min(age, window) : window);

/** A stream for every fact, as there is none yet. */
export const newStream = (wanted: Partial<Wanted>) => ({
  name: STREAM,
  subjects: [ALL_SUBJECTS],
  retention: RetentionPolicy.Limits,
  storage: StorageType.File,
  duplicate_window: windowWithin(wanted.max_age, WINDOW_S * NANOS),
  ...wanted,
});

/** What is wrong with a stream that somebody else made; it could not be changed. */
export const flawOf = ({
  retention,
  storage,
  no_ack,
  sealed,
  mirror,
  max_msg_size = -1,
}: StreamConfig): string | null => {
  if (storage !== StorageType.File) return "is kept in memory, so that a restart loses what was acknowledged";
  if (retention !== RetentionPolicy.Limits) return `drops what was consumed (retention ${retention})`;
  if (no_ack) return "acknowledges nothing";
  if (sealed || mirror) return "takes no messages";
  if (max_msg_size >= 0 && max_msg_size < LARGEST_FACT) return `takes no facts of ${LARGEST_FACT} bytes (max_msg_size)`;
  return null;
};

/** What differs, as it is to be. Subjects of others stay. */
export const differences = (is: StreamConfig, wanted: Partial<Wanted>): Changes => {
  const changes: Changes = {};
  if (!is.subjects.includes(ALL_SUBJECTS)) {
    changes.subjects = [...is.subjects.filter((subject) => !isOurs(subject)), ALL_SUBJECTS];
  }
  const full = { duplicate_window: windowWithin(wanted.max_age, is.duplicate_window), ...wanted };
  for (const name of Object.keys(full) as (keyof Wanted)[]) {
    if (is[name] !== full[name]) changes[name] = full[name];
  }
  return changes;
};
