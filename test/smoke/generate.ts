import { createWriteStream, openAsBlob } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { setTimeout as wait } from "node:timers/promises";
import { type OfferedModel, paramsFor, pathOf } from "../../src/models/model.ts";
import { validateParams } from "../../src/models/validate.ts";
import type { CheckOutcome, Provider, RemoteOutput } from "../../src/ports.ts";
import { HEAD_BYTES, inspect } from "../../src/storage/inspect.ts";
import { extensionOf } from "../../src/storage/media-types.ts";

const TOOL = "text_to_image";
const LIMIT_MS = 10 * 60_000;
const CALL_MS = 30_000;
/** The simulated provider's refs hold a whole plan. */
const SHOWN = 100;

/** How long to wait between polls: the settings of the server. */
export type Poll = { minMs: number; maxMs: number; factor: number };

/** Says one step: what is done, and how it went. */
export type Say = (step: string, text: string) => void;

type Smoke = { provider: Provider; model: OfferedModel; prompt: string; say: Say; signal: AbortSignal; poll: Poll };

const seconds = (since: number) => `${((performance.now() - since) / 1000).toFixed(2)} s`;

const describe = (outcome: CheckOutcome): string => {
  switch (outcome.kind) {
    case "queued":
      return outcome.position === undefined ? "queued" : `queued, ${outcome.position} before it`;
    case "running":
      return outcome.progress === undefined ? "running" : `running, ${Math.round(outcome.progress * 100)} %`;
    case "completed": {
      const cost = outcome.cost ? `billed ${outcome.cost.amount} ${outcome.cost.unit}` : "no cost told";
      return `completed, ${outcome.outputs.length} output(s), ${cost}`;
    }
    case "failed":
      return `failed: ${outcome.code}: ${outcome.message}`;
    case "unknown":
      return `not known: ${outcome.reason}`;
    default:
      return outcome.kind;
  }
};

const submit = async ({ provider, model, prompt, say, signal }: Smoke): Promise<string> => {
  const params = validateParams(model, {});
  if (!params.ok) throw new Error(`the defaults of ${model.key} are not valid`);
  const attempt = crypto.randomUUID();
  const started = performance.now();
  const outcome = await provider.submit(
    {
      attempt,
      model: pathOf(model, TOOL),
      tool: TOOL,
      prompt,
      params: paramsFor(model, TOOL, params.value),
      inputs: [],
      deadline: Date.now() + LIMIT_MS,
      webhook: null,
    },
    AbortSignal.any([signal, AbortSignal.timeout(CALL_MS)]),
  );
  const took = `${seconds(started)}, our attempt ${attempt}`;
  if (outcome.kind === "accepted") {
    say(
      "submit",
      `accepted in ${took}, request ${outcome.ref.length > SHOWN ? `${outcome.ref.slice(0, SHOWN)}…` : outcome.ref}`,
    );
    return outcome.ref;
  }
  const why = outcome.kind === "ambiguous" ? outcome.reason : "message" in outcome ? outcome.message : "try later";
  throw new Error(`submit ${outcome.kind} in ${took}: ${outcome.kind === "rejected" ? `${outcome.code}: ` : ""}${why}`);
};

const ended = async ({ provider, say, signal, poll }: Smoke, ref: string): Promise<RemoteOutput[]> => {
  for (let ms = poll.minMs, n = 1; ; ms = Math.min(poll.maxMs, ms * poll.factor), n++) {
    await wait(ms, undefined, { signal });
    const started = performance.now();
    const outcome = await provider.check(ref, AbortSignal.any([signal, AbortSignal.timeout(CALL_MS)]));
    say(`check ${n}`, `${describe(outcome)} (${seconds(started)})`);
    if (outcome.kind === "completed") return outcome.outputs;
    if (!["queued", "running", "unknown"].includes(outcome.kind)) throw new Error(`it ended as ${outcome.kind}`);
  }
};

const download = async ({ provider, say, signal }: Smoke, output: RemoteOutput, directory: string, n: number) => {
  const started = performance.now();
  const path = join(directory, `output-${n}`);
  const { body, size: promised } = await provider.download(output, signal);
  await pipeline(body, createWriteStream(path), { signal });
  const file = await openAsBlob(path);
  const found = await inspect(new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer()), output.mime);
  if (file.size === 0) throw new Error("the output is empty");
  if (promised !== undefined && promised !== file.size) throw new Error(`got ${file.size} of ${promised} bytes`);
  if (!found) throw new Error("the output is of no type that Darkroom takes in");
  const where = URL.canParse(output.url) ? new URL(output.url).host || "itself" : "nowhere";
  say(
    `download ${n}`,
    `${found.mime} (.${extensionOf(found.mime)}), ${file.size} bytes from ${where} in ${seconds(started)}, at ${path}`,
  );
};

/**
 * One real generation: submit, poll, download, each step said as it is done. Rejects when any of them fails, or after
 * ten minutes; what was submitted and has not ended is then canceled.
 */
export const generate = async (smoke: Smoke): Promise<void> => {
  const { provider, model, say } = smoke;
  const started = performance.now();
  const limited = { ...smoke, signal: AbortSignal.any([smoke.signal, AbortSignal.timeout(LIMIT_MS)]) };
  say("model", `${model.name} (${pathOf(model, TOOL)}), ${model.cost.text}, usually ${model.latency.typical_s} s`);
  const ref = await submit(limited);
  let outputs: RemoteOutput[];
  try {
    outputs = await ended(limited, ref);
  } catch (error) {
    const { kind } = await provider.cancel(ref, AbortSignal.timeout(CALL_MS));
    say("cancel", kind);
    throw error;
  }
  if (outputs.length === 0) throw new Error("it completed without an output");
  const directory = await mkdtemp(join(tmpdir(), "darkroom-smoke-"));
  for (const [n, output] of outputs.entries()) await download(limited, output, directory, n + 1);
  say("done", `in ${seconds(started)}`);
};
