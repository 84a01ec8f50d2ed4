import http from "node:http";
import https from "node:https";
import { Client } from "minio";
import { silence } from "./s3-failure.ts";

export type Credentials = {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  region: string;
  pathStyle: boolean;
};

/** `http(s)://host[:port]`, as S3 clients take it. Throws when there is a path: S3 signs the whole path. */
const readEndpoint = (endpoint: string) => {
  const url = new URL(endpoint);
  if (url.pathname !== "/" || url.search !== "" || url.username !== "") {
    throw new Error(`The S3 endpoint ${url.origin} must be an origin, without a path`);
  }
  return {
    endPoint: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? undefined : Number(url.port),
    useSSL: url.protocol === "https:",
  };
};

/**
 * A client for one endpoint. Its calls never retry (callers do, with backoff) and fail when the connection is
 * silent for `idleMs`; minio itself would wait for ever. `region` is set, so signing needs no network.
 */
export const createClient = (endpoint: string, keys: Credentials, agent: http.Agent, idleMs: number): Client => {
  const { endPoint, port, useSSL } = readEndpoint(endpoint);
  const { request } = useSSL ? https : http;
  const timed = (options: https.RequestOptions, answered: (response: http.IncomingMessage) => void) => {
    const started = request(options, answered);
    started.setTimeout(idleMs, () => started.destroy(silence(idleMs)));
    return started;
  };
  return new Client({
    endPoint,
    port,
    useSSL,
    accessKey: keys.accessKeyId,
    secretKey: keys.secretAccessKey,
    sessionToken: keys.sessionToken,
    region: keys.region,
    pathStyle: keys.pathStyle,
    transport: { request: timed as typeof https.request },
    transportAgent: agent,
    retryOptions: { disableRetry: true },
  });
};

/** Connections that are kept and bounded. The caller destroys it. */
export const createAgent = (endpoint: string, maxSockets: number): http.Agent =>
  new (endpoint.startsWith("https:") ? https : http).Agent({ keepAlive: true, maxSockets });
