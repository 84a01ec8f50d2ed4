/**
 * fal's queue, its webhooks with their keys, and its file storage, as `@fal-ai/client` and the adapter know them.
 * Where fal's pages are silent or differ, the behaviour is an option.
 */
import { randomUUID } from "node:crypto";
import { GONE, LOCKED, NOT_ALLOWED, resultOf, statusErrorOf, UNAUTHORIZED } from "./fal-answers.ts";
import { createSigningKeys } from "./fal-keys.ts";
import { type Kept, logsOf, resultBody, urlsOf } from "./fal-requests.ts";
import { addStorage } from "./fal-storage.ts";
import { type Asked, createEmulator, type EmulatorOptions, type Reply } from "./kit.ts";
import { createRuns, type Ending, type Run, type RunTimes } from "./kit-runs.ts";
import { createWebhooks, type Delivery } from "./kit-webhooks.ts";

export type FalOptions = EmulatorOptions &
  Pick<RunTimes, "queueMs" | "runMs" | "timers"> & {
    /** The only key that is let in; default any that looks like one. */
    key?: string;
    userId?: string;
    /** How a submit will end; default with one output for each `num_images`, without a prompt as fal does: `missing`. */
    endingOf?: (input: Record<string, unknown>, model: string) => Ending;
    /** What a cancel in the queue answers. Default `OK`; older pages know only the other. */
    cancelWord?: "OK" | "CANCELLATION_REQUESTED";
    /** Whether running apps stop when they are told to. Default true. */
    stopsWhenTold?: boolean;
    /** What a result answers before it is there. Default 400. */
    earlyResult?: 202 | 400;
    /** Waits (ms) before the retries of a webhook that was not acknowledged. Default ten, as fal does, but in seconds. */
    webhookRetries?: readonly number[];
  };

const SEGMENT = "[\\w.-]+";
const APP = `((?:(?:workflows|comfy)/)?${SEGMENT}/${SEGMENT})`;
const SHORT_LIFE_BYTES = 10 * 1024;
const SHORT_LIFE_MS = 6 * 60_000;
const LIFE_MS = 3600_000;
const RETRIES_MS = Array.from({ length: 10 }, (_, n) => Math.min(5000, 250 * 2 ** n));

const defaultEnding = ({ prompt }: Record<string, unknown>): Ending =>
  typeof prompt === "string" && prompt !== ""
    ? { kind: "completed" }
    : { kind: "failed", code: "missing", message: "Field required" };

export const createFalEmulator = async (options: FalOptions = {}) => {
  const { key, userId = "user-1", cancelWord = "OK", stopsWhenTold = true, earlyResult = 400 } = options;
  const { webhookRetries = RETRIES_MS } = options;
  const emulator = await createEmulator(options);
  const { now, url, outputs } = emulator;
  const keys = createSigningKeys(userId);
  const webhooks = createWebhooks({ now, sign: keys.sign });
  const storage = addStorage(emulator);
  let locked = false;

  const bodyOf = (run: Run<Kept>) => resultBody(run, outputs.add);

  /** The run as of now: one that did not start in time is over. */
  const look = (id: string): Run<Kept> | null => {
    const run = runs.get(id);
    if (run && runs.phaseOf(run) === "queued" && now() >= run.data.startBy) {
      runs.finish(id, { kind: "failed", code: "request_timeout", message: "Request timed out" });
    }
    return run ?? null;
  };

  const deliver = (id: string, signer = keys.sign, stale = 0): Promise<Delivery> => {
    const run = look(id);
    if (!run?.data.webhook) throw new Error(`${id} has no webhook`);
    const { status = 200, json } = resultOf(run.ending, bodyOf(run), now() >= run.data.startBy);
    const ids = { request_id: id, gateway_request_id: run.data.gateway };
    const payload =
      status < 300
        ? { ...ids, status: "OK", payload: json }
        : { ...ids, status: "ERROR", error: `Invalid status code: ${status}`, payload: json };
    return webhooks.send(run.data.webhook, payload, { id, signer, stale });
  };

  const runs = createRuns<Kept>({
    now,
    queueMs: options.queueMs,
    runMs: options.runMs,
    timers: options.timers,
    onChange: (id, phase) => {
      if (phase === "ended" && runs.get(id)?.data.webhook) {
        void deliver(id).then((delivery) => webhooks.insist(delivery, webhookRetries));
      }
    },
  });

  const positionOf = (run: Run<Kept>) =>
    runs.all().filter((other) => runs.phaseOf(other) === "queued" && other.createdAt < run.createdAt).length;

  const submit = (asked: Asked): Reply => {
    const [app = "", sub = ""] = asked.captured;
    if (app.startsWith("nobody/")) return { status: 404, json: { detail: `Application "${app}" not found` } };
    const limit = asked.query.get("fal_max_queue_length");
    const length = runs.all().filter((run) => runs.phaseOf(run) === "queued").length;
    if (limit !== null && length >= Number(limit)) {
      return { status: 429, json: { detail: "Queue length exceeds the maximum" } };
    }
    if (typeof asked.json !== "object" || asked.json === null) {
      return { status: 422, json: { detail: [{ loc: ["body"], msg: "JSON decode error", type: "json_invalid" }] } };
    }
    const id = randomUUID();
    const model = `${app}${sub}`;
    const input = asked.json as Record<string, unknown>;
    const webhook = asked.query.get("fal_webhook");
    const startS = Number(asked.headers.get("x-fal-request-timeout") ?? Number.NaN);
    emulator.bill({ id, key: null, endpoint: model, body: input, webhook });
    const ending = (options.endingOf ?? defaultEnding)(input, model);
    const startBy = Number.isFinite(startS) ? now() + startS * 1000 : Number.POSITIVE_INFINITY;
    const noRetry = /^(1|true|yes)$/.test(asked.headers.get("x-fal-no-retry") ?? "");
    const run = runs.add(id, { app, model, input, webhook, gateway: id, startBy, noRetry, files: null }, ending);
    return {
      headers: { "x-fal-request-id": id },
      json: { status: "IN_QUEUE", request_id: id, queue_position: positionOf(run), ...urlsOf(url, app, id) },
    };
  };

  const find = ({ captured: [app, id = ""] }: Asked): Run<Kept> | null => {
    const run = look(id);
    return run?.data.app === app ? run : null;
  };

  const status = (asked: Asked): Reply => {
    const run = find(asked);
    if (!run) return GONE;
    const phase = runs.phaseOf(run);
    const logs = asked.query.get("logs") === "1" ? logsOf(run, now()) : null;
    const base = { request_id: run.id, ...urlsOf(url, run.data.app, run.id) };
    if (phase === "queued") {
      return { status: 202, json: { status: "IN_QUEUE", queue_position: positionOf(run), ...base } };
    }
    if (phase === "running") return { status: 202, json: { status: "IN_PROGRESS", logs, ...base } };
    const metrics = { inference_time: 3.7 };
    return { json: { status: "COMPLETED", logs, metrics, ...base, ...statusErrorOf(run.ending) } };
  };

  const result = (asked: Asked): Reply => {
    const run = find(asked);
    if (!run) return GONE;
    if (runs.phaseOf(run) !== "ended") return { status: earlyResult, json: { detail: "Request is still in progress" } };
    const body = bodyOf(run);
    const life = JSON.stringify(body).length >= SHORT_LIFE_BYTES ? SHORT_LIFE_MS : LIFE_MS;
    if (now() >= run.endsAt + life) return GONE;
    const reply = resultOf(run.ending, body, now() >= run.data.startBy);
    return { ...reply, headers: { "x-fal-request-id": run.id, ...reply.headers } };
  };

  const cancel = (asked: Asked): Reply => {
    const run = find(asked);
    if (!run) return { status: 404, json: { status: "NOT_FOUND" } };
    const phase = runs.phaseOf(run);
    if (phase === "ended") return { status: 400, json: { status: "ALREADY_COMPLETED" } };
    if (phase === "queued" || stopsWhenTold) runs.finish(run.id, { kind: "canceled" });
    const word = phase === "queued" ? cancelWord : "CANCELLATION_REQUESTED";
    return { status: word === "OK" ? 200 : 202, json: { status: word } };
  };

  const request = (rest: string) => new RegExp(`^/${APP}/requests/([\\w-]+)${rest}$`);
  emulator.route("jwks", "GET", /^\/\.well-known\/jwks\.json$/, () => ({ json: keys.jwks() }));
  emulator.route("status", "GET", request("/status"), status);
  emulator.route("result", "GET", request(""), result);
  emulator.route("cancel", "PUT", request("/cancel"), cancel);
  emulator.route("submit", "POST", new RegExp(`^/${APP}((?:/${SEGMENT})*)$`), submit);
  emulator.guard(({ on, headers }) => {
    if (on === "jwks" || on === "upload") return null;
    const [, given] = /^Key (\S+:\S+)$/.exec(headers.get("authorization") ?? "") ?? [];
    if (!given || (key !== undefined && given !== key)) {
      return UNAUTHORIZED;
    }
    return locked && /^(submit|upload_initiate)$/.test(on) ? LOCKED : null;
  });
  // What the queue answers to a status call that keeps the model's path.
  emulator.otherwise(({ method, path }) => (method === "GET" && path.includes("/requests/") ? NOT_ALLOWED : GONE));

  return {
    ...emulator,
    runs,
    storage,
    webhooks,
    /** Signs webhooks with a new key; the JWKS forgets the old ones unless they are kept. */
    rotateKeys: keys.rotate,
    /** Sends the webhook of a run that has ended. `finish` does so too. */
    deliver,
    start: runs.start,
    finish: runs.finish,
    /** The account runs out of credit, or is topped up. */
    lock: (on = true): void => {
      locked = on;
    },
    /** The runner breaks: fal queues the request again, under another gateway id, unless it was told not to. */
    breakRunner: (id: string): void => {
      const run = runs.get(id);
      if (!run) throw new Error(`no request ${id}`);
      if (run.data.noRetry) {
        runs.finish(id, { kind: "failed", code: "runner_disconnected", message: "Runner lost" });
      } else {
        run.data.gateway = randomUUID();
        run.startsAt = Number.POSITIVE_INFINITY;
      }
    },
    close: async (): Promise<void> => {
      runs.close();
      webhooks.close();
      await emulator.close();
    },
  };
};

export type FalEmulator = Awaited<ReturnType<typeof createFalEmulator>>;
