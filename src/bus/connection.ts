import { access, constants, readFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import {
  type Authenticator,
  type ConnectionOptions,
  connect,
  credsAuthenticator,
  Events,
  type NatsConnection,
  nkeyAuthenticator,
} from "nats";
import { type NatsSettings, readNatsUrl } from "../config/nats.ts";
import type { Log } from "../log.ts";

const CONNECT_MS = 5_000;
const RECONNECT_MS = 250;
/** A server that stands still is left for another after two of these without an answer. */
const PING_MS = 5_000;
const SILENT_PINGS = 2;

type Secrets = Pick<ConnectionOptions, "authenticator" | "user" | "pass" | "token">;
type Address = NonNullable<ReturnType<typeof readNatsUrl>>;

const fail = (sentence: string, cause: unknown): never => {
  // The client's errors are single words in capitals, else the runtime's; none of them holds what was sent.
  const { code, message } = cause as { code?: unknown; message?: string };
  throw new Error(`${sentence} (${typeof code === "string" ? code : message})`, { cause });
};

/** What the client's errors mean to who sets it up. The first that fits counts. */
const REASONS: readonly [code: RegExp, sentence: string][] = [
  [/^(AUTHORIZATION_VIOLATION|AUTHENTICATION_)/, "NATS refuses the credentials; look at NATS_CREDS_FILE and its like"],
  [/^SERVER_OPT_NA$/, "NATS offers no TLS, which tls:// or NATS_TLS_CA_FILE asks for"],
  [/TLS|CERT|VERIFY|_SSL_|_OSSL_/, "NATS and TLS do not come together; look at NATS_URL and NATS_TLS_CA_FILE"],
  [/./, "NATS cannot be reached; look at NATS_URL"],
];
const explain = (error: unknown): never => {
  const code = String((error as { code?: unknown }).code ?? "");
  const [, sentence = ""] = REASONS.find(([pattern]) => pattern.test(code)) ?? REASONS.at(-1) ?? [];
  return fail(sentence, error);
};

/** By the file as it is at each connect, so that credentials can be renewed; as it last was while it is written. */
const credentialsIn = async (path: string): Promise<Authenticator> => {
  let good = await readFile(path).catch((error) => fail("NATS_CREDS_FILE cannot be read", error));
  try {
    credsAuthenticator(good)("");
  } catch (error) {
    fail("NATS_CREDS_FILE is not a credentials file", error);
  }
  return (nonce) => {
    try {
      const now = readFileSync(path);
      const signed = credsAuthenticator(now)(nonce);
      good = now;
      return signed;
    } catch {
      return credsAuthenticator(good)(nonce);
    }
  };
};

const secretsOf = async (config: NatsSettings, address: Address): Promise<Secrets> => {
  if (config.NATS_CREDS_FILE) return { authenticator: await credentialsIn(config.NATS_CREDS_FILE) };
  if (config.NATS_NKEY) return { authenticator: nkeyAuthenticator(new TextEncoder().encode(config.NATS_NKEY)) };
  const token = config.NATS_TOKEN ?? address.token;
  if (token) return { token };
  const user = config.NATS_USER ?? address.user;
  return user ? { user, pass: config.NATS_PASSWORD ?? address.password } : {};
};

/** The files are named, not read: the client reads them at each connect. */
const tlsOf = async (config: NatsSettings, address: Address): Promise<Pick<ConnectionOptions, "tls">> => {
  const files = { caFile: "NATS_TLS_CA_FILE", certFile: "NATS_TLS_CERT_FILE", keyFile: "NATS_TLS_KEY_FILE" } as const;
  const tls: Partial<Record<keyof typeof files, string>> = {};
  for (const [option, name] of Object.entries(files) as [keyof typeof files, (typeof files)[keyof typeof files]][]) {
    const path = config[name];
    if (path === undefined) continue;
    await access(path, constants.R_OK).catch((error) => fail(`${name} cannot be read`, error));
    tls[option] = path;
  }
  return address.tls || Object.keys(tls).length > 0 ? { tls } : {};
};

/**
 * Connects as the settings say: servers, credentials, TLS. From then on the connection mends itself for as long as it
 * takes; `onChange` hears each time that it is lost and that it is back. Rejects in 5 s with a sentence that says which setting to look
 * at, and no secret.
 */
export const connectNats = async (
  config: NatsSettings,
  { log, onChange }: { log: Log; onChange(connected: boolean): void },
): Promise<NatsConnection> => {
  const address = readNatsUrl(config.NATS_URL ?? "");
  if (!address) throw new Error("NATS_URL is no address");
  const connection = await connect({
    servers: address.servers,
    name: "darkroom",
    timeout: CONNECT_MS,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_MS,
    // Refused twice while credentials are renewed, the client would give up for good.
    ignoreAuthErrorAbort: true,
    pingInterval: PING_MS,
    maxPingOut: SILENT_PINGS,
    ...(await secretsOf(config, address)),
    ...(await tlsOf(config, address)),
  }).catch(explain);
  void (async () => {
    for await (const { type } of connection.status()) {
      if (type === Events.Disconnect || type === Events.Reconnect) onChange(type === Events.Reconnect);
      if (type === Events.Disconnect || type === Events.Reconnect || type === Events.Error)
        log.warn({ nats: type }, "NATS connection");
    }
  })();
  return connection;
};
