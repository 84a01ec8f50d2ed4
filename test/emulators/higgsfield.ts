/**
 * Higgsfield: v2 requests and v1 job sets. The newest generation of its documents by default; `generation: "mid"`
 * behaves as in August 2026 (no idempotency keys, no signatures, 400 over the concurrency limit, plain uploads).
 */
import { randomUUID } from "node:crypto";
import { type Capacity, createCapacity } from "./higgsfield-capacity.ts";
import { createKeys } from "./higgsfield-keys.ts";
import { faultsOf, modelAt } from "./higgsfield-models.ts";
import { bodyOf, filesOf, type HiggsfieldRun, jobSetOf, type Kept } from "./higgsfield-requests.ts";
import { addUploads } from "./higgsfield-uploads.ts";
import { type Address, createHiggsfieldWebhooks, type Sending } from "./higgsfield-webhooks.ts";
import { type Asked, createEmulator, type EmulatorOptions, type Reply } from "./kit.ts";
import { endingIn } from "./kit-prompt.ts";
import { createRuns, type Ending, type RunTimes } from "./kit-runs.ts";
import type { Delivery } from "./kit-webhooks.ts";

export type HiggsfieldOptions = EmulatorOptions &
  Pick<RunTimes, "queueMs" | "runMs" | "timers"> & {
    generation?: "new" | "mid";
    apiKey?: string;
    secret?: string;
    /** Default: none, so that webhooks are not signed. Two while they are rotated. */
    webhookSecrets?: string[];
    capacity?: Partial<Capacity>;
    /** Where status and cancel URLs point, when not at this host itself. */
    statusOrigin?: string;
    /** Whether webhooks to plain http and private addresses are refused, as the newest pages say. Default false. */
    strictWebhooks?: boolean;
    /** Whether a cancel is told by a webhook, too; the pages do not list it. Default false. */
    tellsCancel?: boolean;
    /** Default: what the prompt asks for, see `endingIn`. `nth` counts the jobs of a v1 set. */
    endingOf?: (input: Record<string, unknown>, path: string, nth: number) => Ending;
  };

const RETRY_MS = 5_000;
const WEEK_MS = 7 * 24 * 3600_000;
const NOT_FOUND: Reply = { status: 404, json: { detail: "Not found" } };
const UNAUTHORIZED: Reply = { status: 401, json: { detail: "Invalid credentials" } };

export const createHiggsfieldEmulator = async (options: HiggsfieldOptions = {}) => {
  const { generation = "new", apiKey = "hf-id", secret = "hf-secret", webhookSecrets = [] } = options;
  const isNew = generation === "new";
  const emulator = await createEmulator(options);
  const { now, url, outputs } = emulator;
  const keys = createKeys();
  const webhooks = createHiggsfieldWebhooks({ now, isNew, secrets: webhookSecrets });
  const capacity = createCapacity(
    {
      mode: isNew ? "queue429" : "reject400",
      concurrency: Number.POSITIVE_INFINITY,
      queue: 8,
      nested: false,
      ...options.capacity,
    },
    () => runs,
  );
  const root = options.statusOrigin ?? url;
  let credit = Number.POSITIVE_INFINITY;
  const sets = new Map<string, { ids: string[]; webhook: Address | null }>();

  const files = (run: HiggsfieldRun) => filesOf(run, outputs);
  const answerOf = (run: HiggsfieldRun) =>
    bodyOf(run, runs.phaseOf(run), () => files(run), root, isNew ? WEEK_MS : null);
  const runsOf = (set: string) => (sets.get(set)?.ids ?? []).flatMap((id) => runs.get(id) ?? []);
  const setOf = (set: string) => jobSetOf(set, runsOf(set), runs.phaseOf, files);

  /** Tells the state of a request, or of a v1 set, as it is now. */
  const deliver = async (id: string, more: Sending = {}): Promise<Delivery> => {
    const set = sets.get(id);
    if (set?.webhook) return webhooks.tell(set.webhook, setOf(id), more);
    const run = runs.get(id);
    if (!run?.data.webhook) throw new Error(`${id} has no webhook`);
    return webhooks.tell({ url: run.data.webhook }, answerOf(run), more);
  };

  const isActive = (run: HiggsfieldRun) => runs.phaseOf(run) !== "ended";

  const runs = createRuns<Kept>({
    now,
    queueMs: options.queueMs,
    runMs: options.runMs,
    timers: options.timers,
    onChange: (id, phase) => {
      const run = runs.get(id);
      if (!run || phase !== "ended") return;
      capacity.settle();
      const silent = run.ending.kind === "canceled" && !options.tellsCancel;
      if (run.data.webhook && !silent) void deliver(id);
      const { set } = run.data;
      if (set && sets.get(set)?.webhook && runsOf(set).every((each) => !isActive(each))) void deliver(set);
    },
  });

  const isRefusedWebhook = (to: string) =>
    options.strictWebhooks && (!to.startsWith("https://") || /@|localhost|\/\/(127|10|192\.168)\./.test(to));

  /** What both APIs check before they take something: model, key, input, webhook, credit, room. */
  const admitted = (asked: Asked, path: string, input: Record<string, unknown>, webhook: string | null) => {
    const model = modelAt(path);
    if (!model) return { refusal: NOT_FOUND };
    const issues = faultsOf(model, asked.json);
    if (issues.length > 0) return { refusal: { status: 422, json: { detail: issues } } };
    if (webhook && isRefusedWebhook(webhook))
      return { refusal: { status: 422, json: { detail: "Webhook is not public" } } };
    const count = Number(input[model.count ?? ""] ?? input.num_images ?? 1);
    if (credit < 1) return { refusal: { status: 403, json: { detail: "Not enough credits" } } };
    const { refusal, held } = capacity.admit(count);
    if (refusal) return { refusal };
    credit -= 1;
    return { kind: model.kind, count, held };
  };

  const endingOf = options.endingOf ?? ((input) => endingIn(input.prompt));

  const submit = (asked: Asked): Reply => {
    const [path = ""] = asked.captured;
    const before = isNew ? keys.seen(asked) : null;
    if (before && "refusal" in before) return before.refusal;
    const known = before && runs.get(before.id);
    if (known) return { json: answerOf(known) };
    const input = (asked.json ?? {}) as Record<string, unknown>;
    const webhook = asked.query.get("hf_webhook");
    const checked = admitted(asked, path, input, webhook);
    if (checked.refusal) return checked.refusal;
    const id = randomUUID();
    emulator.bill({ id, key: asked.headers.get("idempotency-key"), endpoint: path, body: input, webhook });
    if (isNew) keys.remember(asked, id);
    if (checked.held) capacity.hold(id);
    const { kind, count } = checked;
    const data: Kept = { path, input, kind, count, webhook, set: null, files: null };
    return { json: answerOf(runs.add(id, data, endingOf(input, path, 0), checked.held)) };
  };

  const submitSet = (asked: Asked): Reply => {
    const path = asked.path.slice(1);
    const { params = {}, webhook = null } = (asked.json ?? {}) as {
      params?: Record<string, unknown>;
      webhook?: Address | null;
    };
    const checked = admitted(asked, path, params, webhook?.url ?? null);
    if (checked.refusal) return checked.refusal;
    const id = randomUUID();
    emulator.bill({ id, key: null, endpoint: path, body: asked.json, webhook: webhook?.url ?? null });
    const ids = Array.from({ length: checked.count }, () => randomUUID());
    sets.set(id, { ids, webhook });
    ids.forEach((job, nth) => {
      const data: Kept = { path, input: params, kind: checked.kind, count: 1, webhook: null, set: id, files: null };
      if (checked.held) capacity.hold(job);
      runs.add(job, data, endingOf(params, path, nth), checked.held);
    });
    return { json: setOf(id) };
  };

  const request = ({ captured: [id = ""] }: Asked): HiggsfieldRun | null => {
    capacity.settle();
    const run = runs.get(id);
    return run && run.data.set === null ? run : null;
  };

  const retrying = options.timers ? setInterval(() => void webhooks.retry(), RETRY_MS) : undefined;
  emulator.everyAnswer(() => ({ "x-correlation-id": randomUUID() }));
  emulator.guard(({ on, path, headers }) => {
    if (on === "store" || on === "stored") return null;
    const isV2 = headers.get("authorization") === `Key ${apiKey}:${secret}`;
    const isV1 = headers.get("hf-api-key") === apiKey && headers.get("hf-secret") === secret;
    const allowed = path.startsWith("/v1/") ? isV1 : path.startsWith("/files/") ? isV1 || isV2 : isV2;
    return allowed ? null : UNAUTHORIZED;
  });
  addUploads(emulator, { tagged: isNew });
  emulator.route("status", "GET", /^\/requests\/([\w-]+)\/status$/, (asked) => {
    const run = request(asked);
    return run ? { json: answerOf(run) } : NOT_FOUND;
  });
  emulator.route("cancel", "POST", /^\/requests\/([\w-]+)\/cancel$/, (asked) => {
    const run = request(asked);
    if (!run) return NOT_FOUND;
    if (runs.phaseOf(run) !== "queued") return { status: 400, json: { detail: "Request can not be canceled" } };
    runs.finish(run.id, { kind: "canceled" });
    return { status: 202, body: "" };
  });
  emulator.route("delete", "DELETE", /^\/requests\/([\w-]+)$/, (asked) => {
    const run = request(asked);
    if (!run) return NOT_FOUND;
    if (isActive(run)) return { status: 400, json: { detail: "Request is not finished" } };
    for (const file of files(run)) outputs.expire(file);
    return { status: 200, body: "" };
  });
  emulator.route("status", "GET", /^\/v1\/job-sets\/([\w-]+)$/, ({ captured: [id = ""] }) => {
    capacity.settle();
    return sets.has(id) ? { json: setOf(id) } : NOT_FOUND;
  });
  emulator.route("catalog", "GET", /^\/v1\/motions$/, () => ({ json: [{ id: randomUUID(), name: "Dolly In" }] }));
  emulator.route("catalog", "GET", /^\/v1\/text2image\/soul-styles$/, () => ({
    json: [{ id: randomUUID(), name: "Editorial", description: "Like a magazine", preview_url: `${url}/cdn/style` }],
  }));
  emulator.route("submit", "POST", /^\/v1\/(.+)$/, submitSet);
  emulator.route("submit", "POST", /^\/(.+)$/, submit);

  return {
    ...emulator,
    runs,
    webhooks,
    /** The ids of a set's jobs, in order. */
    jobsOf: (set: string): readonly string[] => sets.get(set)?.ids ?? [],
    start: runs.start,
    finish: runs.finish,
    /** Submits left before the account is out of credit. */
    setCredit(submits: number): void {
      credit = submits;
    },
    deliver,
    retryWebhooks: webhooks.retry,
    close: async (): Promise<void> => {
      clearInterval(retrying);
      runs.close();
      webhooks.close();
      await emulator.close();
    },
  };
};
