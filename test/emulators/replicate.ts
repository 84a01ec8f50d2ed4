/**
 * Replicate as a server: predictions by version, model and deployment, cancel, list, files, the webhook secret.
 * Runs are moved by the clock (`queueMs`, `runMs`) or by hand (`start`, `finish`, `log`).
 */
import { randomBytes } from "node:crypto";
import { type Asked, createEmulator, type EmulatorOptions, type Reply } from "./kit.ts";
import { endingIn } from "./kit-prompt.ts";
import { createRuns, type Ending, type Phase, type RunTimes } from "./kit-runs.ts";
import { signStandard } from "./kit-webhooks.ts";
import { addFileRoutes } from "./replicate-files.ts";
import { addListRoute } from "./replicate-list.ts";
import { type Kept, type PredictionRun, predictionAt, removed, stateOf } from "./replicate-run.ts";
import { type Models, problem, readSubmit } from "./replicate-submit.ts";
import { createThrottle, type Throttle } from "./replicate-throttle.ts";
import { createReplicateWebhooks } from "./replicate-webhooks.ts";

export type ReplicateOptions = EmulatorOptions &
  Pick<RunTimes, "queueMs" | "runMs" | "timers"> & {
    token?: string;
    models?: Partial<Models>;
    /** Whether the rows of the list carry `webhook`; the documentation does not say. Default false. */
    listWebhooks?: boolean;
    pageSize?: number;
    /** Refuse webhooks that are not https. Default false: ours are on localhost. */
    httpsWebhooks?: boolean;
    webhookSecret?: string;
    /** Waits (ms) before the retries of a terminal webhook that was not acknowledged. */
    webhookRetries?: readonly number[];
    /** Create calls allowed. Default: any; Replicate's own are 600 a minute. */
    throttle?: Throttle;
    /** Reads after the cancel of a running prediction that still show `processing`. Default 0. */
    cancelLag?: number;
    /** Default: what the prompt asks for, see `endingIn`. */
    endingOf?: (input: Record<string, unknown>, model: string) => Ending;
    /** Outputs as `data:` URLs, as the waiting mode may answer them. Default false. */
    inline?: boolean;
  };

export const TOKEN = "r8_an_emulated_token";
export const WEBHOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
export const HELLO = {
  name: "replicate/hello-world",
  version: "5c7d5dc6dd8bf75c1acaa8565735e7986bc5b66206b55cca93cb72c9bf15ccaa",
} as const;

const MODELS: Models = {
  official: ["bytedance/seedream-4", "bytedance/seedance-1-lite", "black-forest-labs/flux-schnell"],
  versions: { [HELLO.name]: HELLO.version },
};
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const newId = () => [...randomBytes(26)].map((byte) => ALPHABET[byte % ALPHABET.length]).join("");

const INLINE =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/** Starts it; `base` is what goes into `REPLICATE_BASE_URL`. Close it. */
export const createReplicateEmulator = async (options: ReplicateOptions = {}) => {
  const { token = TOKEN, pageSize = 100, listWebhooks = false, httpsWebhooks = false, cancelLag = 0 } = options;
  const { webhookSecret = WEBHOOK_SECRET, webhookRetries = [], inline = false } = options;
  const { endingOf = ({ prompt }) => endingIn(prompt) } = options;
  const models = { ...MODELS, ...options.models };
  const emulator = await createEmulator(options);
  const { now } = emulator;
  const base = `${emulator.url}/v1`;
  const webhooks = createReplicateWebhooks({ now, sign: signStandard(webhookSecret), retries: webhookRetries });
  let throttled = options.throttle ? createThrottle(options.throttle, now) : () => null;
  let broke = false;
  let seenStatus: string | null = null;

  /** The output of a run that has just succeeded: videos are one string, images a list, unless told otherwise. */
  const settleOutput = (run: PredictionRun) => {
    if (run.data.output !== undefined || run.ending.kind !== "completed") return;
    const video = run.data.model.includes("seedance");
    const count = video ? 1 : Number(run.data.input.num_outputs ?? 1);
    const names =
      run.ending.outputs ?? Array.from({ length: count }, (_, n) => `${run.id}-${n}.${video ? "mp4" : "png"}`);
    const urls = names.map((name) => (inline ? INLINE : emulator.outputs.add(name)));
    run.data.output = video && urls.length === 1 ? urls[0] : urls;
  };

  const wire = (run: PredictionRun) => {
    const phase = runs.phaseOf(run);
    if (phase === "ended") settleOutput(run);
    const at = now();
    const { completedAt } = stateOf(run, phase, at);
    if (removed(run, completedAt, at)) {
      for (const url of [run.data.output].flat()) if (typeof url === "string") emulator.outputs.expire(url);
    }
    const prediction = predictionAt(run, phase, at, base);
    return seenStatus === null ? prediction : { ...prediction, status: seenStatus as typeof prediction.status };
  };

  const onChange = (id: string, phase: Phase) => {
    const run = runs.get(id);
    if (!run) return;
    const prediction = wire(run);
    if (phase === "running") return webhooks.tell(run, "start", prediction);
    if (phase !== "ended") return;
    if (prediction.status === "succeeded") webhooks.tell(run, "output", { ...prediction, status: "processing" });
    webhooks.tell(run, "completed", prediction);
  };
  const runs = createRuns<Kept>({ ...options, now, onChange });

  const notFound = () => problem(404, "Not found", "The requested resource could not be found.");

  emulator.guard((asked) =>
    asked.headers.get("authorization") === `Bearer ${token}`
      ? null
      : problem(401, "Unauthenticated", "You did not pass a valid authentication token"),
  );

  /** `Prefer: wait` holds the answer back until the run has ended or the time is over; then it may say anything. */
  const waitFor = async (asked: Asked, run: PredictionRun) => {
    const [waits, seconds = "60"] = /^wait(?:=(\d+))?$/.exec(asked.headers.get("prefer") ?? "") ?? [];
    if (waits === undefined) return 201;
    const until = Date.now() + Number(seconds) * 1000;
    while (runs.phaseOf(run) !== "ended" && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 5));
    return runs.phaseOf(run) === "ended" ? 201 : 202;
  };

  const submit =
    (route: "version" | "model" | "deployment") =>
    async (asked: Asked): Promise<Reply> => {
      const limited = throttled();
      if (limited) return limited;
      const read = readSubmit(asked, { route, models, httpsWebhooks });
      if ("refusal" in read) return read.refusal;
      if (broke) {
        const detail =
          "You have insufficient credit to run this model. Go to https://replicate.com/account/billing#billing to " +
          "purchase credit. Once you purchase credit, please wait a few minutes before trying again.";
        return problem(402, "Insufficient credit", detail);
      }
      const run = runs.add(newId(), read.kept, endingOf(read.kept.input, read.kept.model));
      const { webhook } = run.data;
      emulator.bill({ id: run.id, key: null, endpoint: asked.path, body: asked.json, webhook });
      return { status: await waitFor(asked, run), json: wire(run) };
    };
  emulator.route("submit", "POST", /^\/v1\/predictions$/, submit("version"));
  emulator.route("submit", "POST", /^\/v1\/models\/([^/]+)\/([^/]+)\/predictions$/, submit("model"));
  emulator.route("submit", "POST", /^\/v1\/deployments\/([^/]+)\/([^/]+)\/predictions$/, submit("deployment"));

  emulator.route("status", "GET", /^\/v1\/predictions\/([^/]+)$/, ({ captured: [id = ""] }) => {
    const run = runs.get(id);
    if (!run) return notFound();
    if (run.data.lingers > 0 && run.ending.kind === "canceled") {
      run.data.lingers -= 1;
      return { json: { ...wire(run), status: "processing", completed_at: null } };
    }
    return { json: wire(run) };
  });

  emulator.route("cancel", "POST", /^\/v1\/predictions\/([^/]+)\/cancel$/, ({ captured: [id = ""] }) => {
    const run = runs.get(id);
    if (!run) return notFound();
    const phase = runs.phaseOf(run);
    const { status } = stateOf(run, phase, now());
    if (status === "processing") run.data.lingers = cancelLag;
    if (status === "starting" || status === "processing") runs.finish(id, { kind: "canceled" });
    const after = wire(run);
    if (run.data.lingers > 0 && status === "processing") {
      return { json: { ...after, status: "processing", completed_at: null } };
    }
    return { json: after };
  });

  addListRoute(emulator, { base, pageSize, listWebhooks, runs, wire });
  emulator.route("secret", "GET", /^\/v1\/webhooks\/default\/secret$/, () => ({ json: { key: webhookSecret } }));
  addFileRoutes(emulator, base);

  return {
    ...emulator,
    base,
    runs,
    webhooks,
    /** The prediction as a `GET` would answer it. */
    wire: (id: string) => {
      const run = runs.get(id);
      return run ? wire(run) : null;
    },
    start: runs.start,
    /** Ends a run. `output`: any JSON, in place of the URLs of the ending's files. */
    finish(id: string, ending: Ending = { kind: "completed" }, output?: unknown): void {
      const run = runs.get(id);
      if (run && output !== undefined) run.data.output = output;
      runs.finish(id, ending);
    },
    /** The model writes to its log. */
    log(id: string, text: string): void {
      const run = runs.get(id);
      if (!run) return;
      run.data.logs += text;
      webhooks.tell(run, "logs", wire(run));
    },
    throttle: (throttle: Throttle) => {
      throttled = createThrottle(throttle, now);
    },
    /** Whether the account is out of credit. */
    setBroke: (value: boolean) => {
      broke = value;
    },
    /** Every prediction shows this status, whatever it is; null: the truth. */
    show: (status: string | null) => {
      seenStatus = status;
    },
    close: async () => {
      runs.close();
      webhooks.close();
      await emulator.close();
    },
  };
};
