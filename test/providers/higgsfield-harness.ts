import { createLog } from "../../src/log.ts";
import type { CheckOutcome, Generation, Provider, SubmitOutcome } from "../../src/ports.ts";
import { createHiggsfieldProvider, type HiggsfieldDeps } from "../../src/providers/higgsfield/adapter.ts";
import { createHiggsfieldV1Provider } from "../../src/providers/higgsfield/v1.ts";
import { createHiggsfieldEmulator, type HiggsfieldOptions } from "../emulators/higgsfield.ts";

export const START = Date.parse("2026-10-07T10:00:00Z");
export const KEYS = { apiKey: "hf-id", secret: "hf-secret" };
export const never = new AbortController().signal;

export const generation = (more: Partial<Generation> = {}): Generation => ({
  attempt: crypto.randomUUID(),
  model: "nano-banana",
  tool: "text_to_image",
  prompt: "a lake",
  params: {},
  inputs: [],
  deadline: START + 3600_000,
  webhook: null,
  ...more,
});

/** An emulator whose runs move by hand or by a clock that stands still until it is moved, and both adapters on it. */
export const setup = async (options: HiggsfieldOptions = {}, deps: Partial<HiggsfieldDeps> = {}) => {
  const clock = { now: START };
  const now = () => clock.now;
  const forever = Number.POSITIVE_INFINITY;
  const emulator = await createHiggsfieldEmulator({ now, queueMs: forever, runMs: forever, ...options });
  const common = { baseUrl: emulator.url, ...KEYS, log: createLog("silent"), now, ...deps };
  const provider = createHiggsfieldProvider(common);
  const v1 = createHiggsfieldV1Provider(common);
  return { clock, emulator, provider, v1 };
};

export const submit = async (provider: Provider, asked: Generation): Promise<string> => {
  const outcome: SubmitOutcome = await provider.submit(asked, never);
  if (outcome.kind !== "accepted") throw new Error(`not accepted: ${JSON.stringify(outcome)}`);
  return outcome.ref;
};

export const check = (provider: Provider, ref: string): Promise<CheckOutcome> => provider.check(ref, never);
