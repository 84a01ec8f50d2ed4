import { type Static, type TProperties, type TSchema, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { NatsSettings, natsConflicts } from "./config/nats.ts";
import { BUCKET_NAME, s3Conflicts } from "./config/s3.ts";

const ms = (fallback: number, description: string, minimum = 1) =>
  Type.Integer({ minimum, maximum: 30 * 24 * 3600_000, default: fallback, description });
const days = (description: string) => Type.Integer({ minimum: 0, maximum: 36_500, default: 0, description });
const flag = (fallback: boolean, description: string) => Type.Boolean({ default: fallback, description });
const text = (description: string, fallback?: string) =>
  Type.String({ minLength: 1, description, ...(fallback === undefined ? {} : { default: fallback }) });
const url = (description: string, protocols: string) =>
  Type.String({ pattern: `^(${protocols})://[^\\s]+$`, description });
const optional = <T extends TSchema>(schema: T) => Type.Optional(schema);

/** Every setting, by the name of its environment variable. `.env.example` and the README list them. */
export const Settings = Type.Object({
  NODE_ENV: Type.Union([Type.Literal("development"), Type.Literal("production"), Type.Literal("test")], {
    default: "development",
    description: "production refuses defaults that are not safe",
  }),
  PORT: Type.Integer({ minimum: 0, maximum: 65535, default: 8080, description: "HTTP port; 0 picks a free one" }),
  HOST: text("address to listen on", "127.0.0.1"),
  PUBLIC_URL: optional(url("base URL that browsers reach us at and, when it is set, providers' webhooks", "https?")),
  ALLOWED_HOSTS: optional(text("comma-separated Host headers accepted besides the public URL's and loopback")),
  CORS_ORIGINS: text("comma-separated origins, or `localhost` for any loopback origin", "localhost"),
  DATA_DIR: text("where the embedded services and generated secrets live", ".darkroom"),
  LOG_LEVEL: Type.Union(
    ["trace", "debug", "info", "warn", "error", "fatal", "silent"].map((level) => Type.Literal(level)),
    { default: "info", description: "pino level" },
  ),
  DEMO: optional(Type.Boolean({ description: "demo user and service A's routes without a token" })),
  JWT_SECRET: optional(Type.String({ minLength: 32, description: "HS256 secret, used as the bytes given" })),
  JWT_TTL_S: Type.Integer({ minimum: 1, maximum: 30 * 86400, default: 3600, description: "access token lifetime" }),
  BODY_LIMIT_BYTES: Type.Integer({ minimum: 1024, default: 1_048_576, description: "largest request body" }),

  DATABASE_URL: optional(url("PostgreSQL 15-18; embedded when absent", "postgres(ql)?(\\+asyncpg)?")),
  DATABASE_POOL: Type.Integer({ minimum: 2, maximum: 200, default: 10, description: "read connections" }),
  ...NatsSettings.properties,

  S3_BUCKET: Type.String({ pattern: BUCKET_NAME, default: "darkroom", description: "bucket" }),
  S3_REGION: text("region, always signed", "us-east-1"),
  S3_ENDPOINT_INTERNAL: optional(url("S3 as this server reaches it; embedded when absent", "https?")),
  S3_PUBLIC_ENDPOINT: optional(url("S3 as browsers reach it; default the internal endpoint", "https?")),
  S3_USE_PATH_STYLE: flag(true, "bucket in the path (true) or in the host name (false)"),
  S3_EMBEDDED_SHARED: flag(false, "DATA_DIR is shared by all nodes, so embedded S3 may serve several"),
  S3_EMBEDDED_QUOTA_BYTES: Type.Integer({
    minimum: 0,
    default: 0,
    description: "all that embedded S3 holds; 0: no limit",
  }),
  AWS_ACCESS_KEY_ID: optional(text("S3 access key")),
  AWS_SECRET_ACCESS_KEY: optional(text("S3 secret key")),
  AWS_SESSION_TOKEN: optional(text("token of keys that are good for a while only")),
  USE_PUBLIC_URLS: flag(false, "permanent public download URLs instead of presigned ones"),
  S3_URL_TTL_S: Type.Integer({ minimum: 10, maximum: 604800, default: 3600, description: "life of signed downloads" }),
  UPLOAD_TTL_S: Type.Integer({ minimum: 10, maximum: 604800, default: 900, description: "life of signed uploads" }),
  UPLOAD_MAX_BYTES: Type.Integer({ minimum: 1, default: 50_000_000, description: "largest attachment" }),
  OUTPUT_MAX_BYTES: Type.Integer({ minimum: 1, default: 1_000_000_000, description: "largest generated file" }),

  POLL_MIN_MS: ms(1000, "first wait between polls"),
  POLL_MAX_MS: ms(30_000, "longest wait between polls"),
  POLL_FACTOR: Type.Number({ minimum: 1, maximum: 10, default: 2, description: "growth of the wait" }),
  POLL_JITTER: Type.Number({ minimum: 0, maximum: 0.9, default: 0.2, description: "± share of the wait" }),
  POLL_STRATEGY: Type.Union([Type.Literal("backoff"), Type.Literal("adaptive")], {
    default: "backoff",
    description: "adaptive places polls by what generations of the model took so far",
  }),
  POLL_TIMEOUT_MS: ms(5000, "hard limit of one poll; must be below TAKEOVER_GRACE_MS"),
  SUBMIT_TIMEOUT_MS: ms(10_000, "hard limit of one submit, and of looking for a lost one"),
  NOT_AFTER_MS: ms(5000, "an effect not sent this long after its commit is dropped"),
  CANCEL_TIMEOUT_MS: ms(5000, "hard limit of one upstream cancel"),
  INGEST_TIMEOUT_MS: ms(120_000, "hard limit of storing the outputs of one job, per try"),
  JOB_TIMEOUT_MS: ms(180_000, "limit of a started job whose model has none of its own"),
  START_TIMEOUT_MS: ms(3_600_000, "limit of waiting for a start"),
  RETRY_LIMIT: Type.Integer({ minimum: 0, maximum: 10, default: 2, description: "automatic retries of one job" }),
  PAUSE_MIN_MS: ms(30_000, "first pause of an account that is out of credit or whose credentials are refused"),
  PAUSE_MAX_MS: ms(600_000, "longest pause: it doubles each time that a probe is refused as well"),
  FAILOVER_AFTER_MS: ms(30_000, "a pause of its account, so far or in all, after which a job that may move does", 0),
  BREAKER_FAILURES: Type.Integer({
    minimum: 1,
    maximum: 1000,
    default: 5,
    description: "submits in a row without a readable answer that open a provider's breaker; polls: four times as many",
  }),
  BREAKER_COOLDOWN_MS: ms(10_000, "how long a breaker stays open at first; it doubles up to 5 minutes"),
  TAKEOVER_GRACE_MS: ms(6000, "how overdue a timer must be before another node fires it"),
  PROVIDER_CONCURRENCY: Type.Integer({
    minimum: 1,
    maximum: 100_000,
    default: 20,
    description: "jobs at one provider account",
  }),
  CACHE_ACTORS: Type.Integer({ minimum: 16, default: 20_000, description: "actors kept warm in memory" }),
  DRAIN_DELAY_MS: ms(0, "time between failing readiness and stopping", 0),
  IDEMPOTENCY_TTL_S: Type.Integer({ minimum: 60, default: 86_400, description: "how long a key is remembered" }),
  OBJECT_GRACE_S: Type.Integer({
    minimum: 0,
    maximum: 30 * 86_400,
    default: 3600,
    description: "how long an object stays after the last row that named it is gone",
  }),
  RETAIN_CHATS_DAYS: days("days without a message after which a chat is deleted; 0: never"),
  RETAIN_JOBS_DAYS: days("days after its end when a job or request is deleted with its outputs; 0: never"),
  RETAIN_ATTACHMENTS_DAYS: days("days after its creation when an unused attachment is deleted; 0: never"),
  WEBHOOK_TIMEOUT_MS: ms(10_000, "hard limit of sending one webhook"),
  WEBHOOK_RETRY_MIN_MS: ms(5000, "first wait before a webhook that failed is sent again; it grows fourfold"),
  WEBHOOK_RETRY_MAX_MS: ms(28_800_000, "longest wait before a webhook that failed is sent again"),
  WEBHOOK_RETRY_LIMIT: Type.Integer({ minimum: 0, maximum: 30, default: 9, description: "repeats of one webhook" }),
  WEBHOOK_DISABLE_AFTER_MS: ms(259_200_000, "an endpoint for which everything failed for so long is disabled"),
  WEBHOOKS_ALLOW_PRIVATE: flag(false, "webhooks may be sent to private addresses, too; refused in production"),
  PROMPT_ENHANCEMENT: flag(true, "add the model's style words to prompts"),

  SIMULATED: optional(Type.Boolean({ description: "offer the simulated provider; default outside production" })),
  SIMULATED_LATENCY_MS: ms(4000, "typical time of a simulated generation; video takes four times as long", 0),
  SIMULATED_QUEUE_MS: ms(500, "typical time in the simulated provider's queue", 0),
  SIMULATED_FAILURE_RATE: Type.Number({ minimum: 0, maximum: 1, default: 0, description: "share that fails" }),
  SIMULATED_LOST_RATE: Type.Number({
    minimum: 0,
    maximum: 1,
    default: 0,
    description: "share of submits whose answer is lost",
  }),
  HIGGSFIELD_BASE_URL: url("Higgsfield API", "https?"),
  HIGGSFIELD_API_KEY: optional(text("Higgsfield key id")),
  HIGGSFIELD_SECRET: optional(text("Higgsfield key secret")),
  HIGGSFIELD_WEBHOOK_SECRET: optional(text("secrets of Higgsfield's webhooks, whsec_…, comma-separated while rotated")),
  HIGGSFIELD_OUTPUT_HOSTS: optional(text("comma-separated hosts of Higgsfield's outputs, besides the known ones")),
  REPLICATE_BASE_URL: url("Replicate API", "https?"),
  REPLICATE_API_TOKEN: optional(text("Replicate token")),
  REPLICATE_WEBHOOK_SECRET: optional(text("secret of Replicate's webhooks; asked of its API when absent")),
  FAL_BASE_URL: url("fal queue API", "https?"),
  FAL_KEY: optional(text("fal key, id:secret")),
});

const DEFAULT_URLS = {
  HIGGSFIELD_BASE_URL: "https://api.higgsfield.ai",
  REPLICATE_BASE_URL: "https://api.replicate.com/v1",
  FAL_BASE_URL: "https://queue.fal.run",
};

type Known = Static<typeof Settings>;

/** The settings plus what follows from them. */
export type Config = Known & {
  DEMO: boolean;
  SIMULATED: boolean;
  /** Origin without a trailing slash. */
  PUBLIC_URL: string;
  /** Whether it was set, so that others than browsers on this machine may be told to use it. */
  PUBLIC_URL_SET: boolean;
};

export class ConfigError extends Error {
  constructor(readonly problems: string[]) {
    super(`Darkroom cannot start:\n${problems.map((line) => `  - ${line}`).join("\n")}`);
    this.name = "ConfigError";
  }
}

export const isLoopback = (host: string) => /^(localhost|127\.\d+\.\d+\.\d+|::1|\[::1\])$/.test(host);

const parse = (schema: TSchema, raw: string): unknown => {
  if (schema.type === "boolean") {
    if (/^(1|true|yes|on)$/i.test(raw)) return true;
    if (/^(0|false|no|off)$/i.test(raw)) return false;
    return raw;
  }
  if (schema.type === "integer" || schema.type === "number") return raw.trim() === "" ? raw : Number(raw);
  return raw;
};

/** Rules that span settings. */
const conflicts = (c: Known): string[] => {
  const problems = [...natsConflicts(c), ...s3Conflicts(c)];
  const rule = (broken: boolean, message: string) => {
    if (broken) problems.push(message);
  };
  const production = c.NODE_ENV === "production";
  rule(c.POLL_MIN_MS > c.POLL_MAX_MS, "POLL_MIN_MS must not exceed POLL_MAX_MS");
  rule(c.PAUSE_MIN_MS > c.PAUSE_MAX_MS, "PAUSE_MIN_MS must not exceed PAUSE_MAX_MS");
  rule(c.POLL_TIMEOUT_MS >= c.TAKEOVER_GRACE_MS, "POLL_TIMEOUT_MS must be below TAKEOVER_GRACE_MS");
  // What is stored and not yet named by a row must outlast the way there, and an outage of the database on it.
  rule(
    c.NODE_ENV !== "test" && c.OBJECT_GRACE_S * 1000 < c.INGEST_TIMEOUT_MS + 120_000,
    "OBJECT_GRACE_S must exceed INGEST_TIMEOUT_MS by 2 minutes or more",
  );
  rule(production && !c.JWT_SECRET, "JWT_SECRET must be set in production (32 characters or more)");
  rule(production && /^(.)\1+$|secret|change.?me/i.test(c.JWT_SECRET ?? ""), "JWT_SECRET looks like a default");
  rule(production && c.DEMO === true, "DEMO=1 is refused in production");
  rule(production && c.WEBHOOKS_ALLOW_PRIVATE, "WEBHOOKS_ALLOW_PRIVATE=1 is refused in production");
  rule(c.WEBHOOK_RETRY_MIN_MS > c.WEBHOOK_RETRY_MAX_MS, "WEBHOOK_RETRY_MIN_MS must not exceed WEBHOOK_RETRY_MAX_MS");
  for (const name of Object.keys(DEFAULT_URLS) as (keyof typeof DEFAULT_URLS)[]) {
    // Credentials and outputs would go in the clear, and an http base also loosens where outputs may come from.
    rule(production && !c[name].startsWith("https://"), `${name} must be https in production`);
  }
  rule(
    Boolean(c.NATS_URL) && !c.S3_ENDPOINT_INTERNAL && !c.S3_EMBEDDED_SHARED,
    "NATS_URL means several nodes: set S3_ENDPOINT_INTERNAL, or S3_EMBEDDED_SHARED=1 when DATA_DIR is shared",
  );
  rule(
    Boolean(c.HIGGSFIELD_API_KEY) !== Boolean(c.HIGGSFIELD_SECRET),
    "set both HIGGSFIELD_API_KEY and HIGGSFIELD_SECRET",
  );
  return problems;
};

/**
 * Reads the environment. Throws one `ConfigError` that names every wrong or missing setting.
 * `DB_DSN` stands for `DATABASE_URL`; an empty variable counts as unset.
 */
export const readConfig = (env: Record<string, string | undefined>): Config => {
  const given: Record<string, string | undefined> = { ...env, DATABASE_URL: env.DATABASE_URL || env.DB_DSN };
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(Settings.properties as TProperties)) {
    const raw = given[name] || (DEFAULT_URLS as Record<string, string>)[name];
    const value = raw === undefined || raw === "" ? schema.default : parse(schema, raw);
    if (value === undefined) continue;
    values[name] = value;
    const error = Value.Errors(schema, value).First();
    if (error) problems.push(`${name}: ${error.message.toLowerCase()} (${schema.description})`);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  const known = values as Known;
  const production = known.NODE_ENV === "production";
  const broken = conflicts(known);
  if (broken.length > 0) throw new ConfigError(broken);
  const host = known.HOST === "0.0.0.0" || known.HOST === "::" || isLoopback(known.HOST) ? "localhost" : known.HOST;
  return {
    ...known,
    DATABASE_URL: known.DATABASE_URL?.replace("+asyncpg", ""),
    DEMO: known.DEMO ?? (!production && isLoopback(known.HOST)),
    SIMULATED: known.SIMULATED ?? !production,
    PUBLIC_URL_SET: known.PUBLIC_URL !== undefined,
    PUBLIC_URL: (known.PUBLIC_URL ?? `http://${host}:${known.PORT}`).replace(/\/+$/, ""),
  };
};
