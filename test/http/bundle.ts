import { Buffer } from "node:buffer";
import type { Elysia } from "elysia";
import { readConfig } from "../../src/config.ts";
import type { FieldError } from "../../src/errors.ts";
import { createExchanges } from "../../src/http/exchange.ts";
import { createMetrics } from "../../src/http/metrics.ts";
import { createOrigins } from "../../src/http/origins.ts";
import { createBase } from "../../src/http/toolkit.ts";
import type { Log } from "../../src/log.ts";

export type ProblemBody = {
  type: string;
  title: string;
  status: number;
  detail?: string;
  code: string;
  retryable: boolean;
  instance: string;
  errors?: FieldError[];
  request_id: string;
};

export type Line = { level: string; message?: string } & Record<string, unknown>;

/** A log that keeps its lines. */
export const recordingLog = () => {
  const lines: Line[] = [];
  const level = (name: string) => (fields: object, message?: string) =>
    void lines.push({ level: name, message, ...fields });
  const log = {
    debug: level("debug"),
    info: level("info"),
    warn: level("warn"),
    error: level("error"),
  } as unknown as Log;
  return { log, lines };
};

/** The base without slices, with a log that keeps its lines. */
export const setup = (env: Record<string, string> = {}, queueDepth: () => Promise<number> = async () => 0) => {
  const config = readConfig({ PUBLIC_URL: "https://darkroom.example", ...env });
  const { log, lines } = recordingLog();
  const exchanges = createExchanges();
  const metrics = createMetrics({ queueDepth });
  const origins = createOrigins(config);
  const base = createBase({ config, log, metrics, exchanges, origins, raw: new Set(["/raw"]) });
  return { base, config, exchanges, lines, log, metrics, origins };
};

/** Sends a request to an app as a listener would. */
export const createClient = (app: Pick<Elysia, "handle">) => {
  const send = (path: string, init?: RequestInit) => app.handle(new Request(`http://localhost${path}`, init));
  return {
    send,
    json: async <T>(path: string, init?: RequestInit) => (await (await send(path, init)).json()) as T,
    post: (path: string, body: unknown, headers: Record<string, string> = {}) =>
      send(path, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
  };
};

export const problemOf = async (response: Response) => (await response.json()) as ProblemBody;

export const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
