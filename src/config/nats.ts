import { type Static, Type } from "@sinclair/typebox";

const text = (description: string) => Type.Optional(Type.String({ minLength: 1, description }));
const whole = (minimum: number, maximum: number, description: string) =>
  Type.Optional(Type.Integer({ minimum, maximum, description }));

const YEARS_S = 100 * 365 * 86_400;

/** The settings that speak of NATS. */
export const NatsSettings = Type.Object({
  NATS_URL: Type.Optional(
    Type.String({
      pattern: "^(nats|tls)://[^\\s]+$",
      description: "NATS with JetStream, comma-separated for a cluster; in-process bus when absent",
    }),
  ),
  NATS_CREDS_FILE: text("credentials file of a NATS user, read anew at each connect"),
  NATS_NKEY: Type.Optional(Type.String({ pattern: "^SU[A-Z2-7]{56}$", description: "seed of a NATS user's key, SU…" })),
  NATS_TOKEN: text("token that NATS asks for"),
  NATS_USER: text("user that NATS asks for"),
  NATS_PASSWORD: text("its password"),
  NATS_TLS_CA_FILE: text("who vouches for the NATS servers, PEM; this or tls:// in NATS_URL makes TLS a must"),
  NATS_TLS_CERT_FILE: text("certificate that NATS may ask of us, PEM"),
  NATS_TLS_KEY_FILE: text("its key, PEM"),
  // Absent: as the stream is; a new one keeps one copy, for ever, and knows what comes again for 2 minutes.
  NATS_STREAM_REPLICAS: whole(1, 5, "servers that keep each fact, 1 at first; more than one needs a cluster"),
  NATS_STREAM_MAX_AGE_S: whole(0, YEARS_S, "how long JetStream keeps a fact; 0: for ever, as at first"),
  NATS_STREAM_MAX_BYTES: whole(
    0,
    Number.MAX_SAFE_INTEGER,
    "what JetStream keeps, the oldest go; 0: no limit, as at first",
  ),
  NATS_DEDUPE_WINDOW_S: whole(10, 86_400, "how long JetStream knows a fact that comes again, 120 at first"),
});
export type NatsSettings = Static<typeof NatsSettings>;

/** Where to connect, and the secrets that stood there. */
export type NatsAddress = {
  /** Host and port, without a scheme or a secret. */
  servers: string[];
  /** Whether one of them is `tls://`. */
  tls: boolean;
  user?: string;
  password?: string;
  token?: string;
};

const decoded = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
};

/**
 * Takes `NATS_URL` apart, because the client overlooks what stands before an `@` and what `tls://` asks for. A name
 * without a password is a token, as everywhere with NATS. Null when an entry is no address.
 */
export const readNatsUrl = (text: string): NatsAddress | null => {
  const entries = text.split(",").map((entry) => (entry.includes("://") ? entry : `nats://${entry}`));
  if (!entries.every((entry) => /^(nats|tls):/.test(entry) && URL.canParse(entry) && new URL(entry).host !== "")) {
    return null;
  }
  const urls = entries.map((entry) => new URL(entry));
  const { username = "", password = "" } = urls.find((url) => url.username !== "" || url.password !== "") ?? {};
  const secrets =
    password === "" ? { token: decoded(username) } : { user: decoded(username), password: decoded(password) };
  return {
    servers: urls.map(({ host }) => host),
    tls: urls.some(({ protocol }) => protocol === "tls:"),
    ...(username === "" && password === "" ? {} : secrets),
  };
};

const NEED_URL = [
  "NATS_CREDS_FILE",
  "NATS_NKEY",
  "NATS_TOKEN",
  "NATS_USER",
  "NATS_TLS_CA_FILE",
  "NATS_TLS_CERT_FILE",
] as const;

/** What is wrong with them together, in sentences that hold no secret. */
export const natsConflicts = (c: NatsSettings): string[] => {
  const address = c.NATS_URL === undefined ? null : readNatsUrl(c.NATS_URL);
  const ways = [c.NATS_CREDS_FILE, c.NATS_NKEY, c.NATS_TOKEN, c.NATS_USER, address?.user ?? address?.token];
  const rules: [broken: boolean, message: string][] = [
    [c.NATS_URL !== undefined && address === null, "NATS_URL must be a list of nats://host:port or tls://host:port"],
    [
      ways.filter((way) => way !== undefined).length > 1,
      "set one of NATS_CREDS_FILE, NATS_NKEY, NATS_TOKEN, NATS_USER and credentials in NATS_URL, not several",
    ],
    [Boolean(c.NATS_USER) !== Boolean(c.NATS_PASSWORD), "set both NATS_USER and NATS_PASSWORD"],
    [
      Boolean(c.NATS_TLS_CERT_FILE) !== Boolean(c.NATS_TLS_KEY_FILE),
      "set both NATS_TLS_CERT_FILE and NATS_TLS_KEY_FILE",
    ],
    [
      Boolean(c.NATS_STREAM_MAX_AGE_S) && (c.NATS_STREAM_MAX_AGE_S ?? 0) < (c.NATS_DEDUPE_WINDOW_S ?? 0),
      "NATS_DEDUPE_WINDOW_S must not exceed NATS_STREAM_MAX_AGE_S",
    ],
    ...NEED_URL.map((name): [boolean, string] => [
      c.NATS_URL === undefined && c[name] !== undefined,
      `${name} has no effect without NATS_URL`,
    ]),
  ];
  return rules.flatMap(([broken, message]) => (broken ? [message] : []));
};
