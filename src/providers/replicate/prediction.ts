/**
 * A prediction as Replicate answers it on create, get, cancel, list and in webhooks. Optional keys may be null or
 * absent; `output` is whatever the model makes.
 */
export type Prediction = {
  id: string;
  /** `starting`, `processing`, `succeeded`, `failed`, `canceled`, `aborted`, or a word that is new. */
  status: string;
  output: unknown;
  /** The model's error text; "" when there is none. */
  error: string;
  logs: string;
  /** Outputs are deleted an hour after completion; then `output` is null. */
  dataRemoved: boolean;
  /** Milliseconds since the epoch; NaN when absent. */
  createdAt: number;
  /** Seconds on the model's hardware, as billed for models that are billed by time. */
  predictTime: number | null;
  /** As given on create; null when none was, undefined when this answer does not say. */
  webhook: string | null | undefined;
};

export type Fields = Record<string, unknown>;

export const fieldsOf = (value: unknown): Fields | null =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : null;

const textOf = (value: unknown): string => {
  if (typeof value === "string") return value;
  return value === null || value === undefined ? "" : JSON.stringify(value);
};

const webhookOf = (value: unknown) => (typeof value === "string" || value === null ? value : undefined);

/** Ids go into paths: nothing that a URL could read as more than one segment. */
export const isId = (id: string) => /^[\w-]{1,128}$/.test(id);

/** Reads a body defensively; null when it is not a prediction. */
export const predictionOf = (body: unknown): Prediction | null => {
  const fields = fieldsOf(body);
  if (!fields || typeof fields.id !== "string" || !isId(fields.id) || typeof fields.status !== "string") return null;
  const predictTime = fieldsOf(fields.metrics)?.predict_time;
  return {
    id: fields.id,
    status: fields.status,
    output: fields.output ?? null,
    error: textOf(fields.error),
    logs: textOf(fields.logs),
    dataRemoved: fields.data_removed === true,
    createdAt: typeof fields.created_at === "string" ? Date.parse(fields.created_at) : Number.NaN,
    predictTime: typeof predictTime === "number" && Number.isFinite(predictTime) ? predictTime : null,
    webhook: webhookOf(fields.webhook),
  };
};
