import assert from "node:assert/strict";
import { createLog } from "../../src/log.ts";
import type { CheckOutcome, Generation, Provider } from "../../src/ports.ts";
import { createFalProvider, type FalProviderDeps } from "../../src/providers/fal/adapter.ts";
import { createFalEmulator, type FalEmulator, type FalOptions } from "../emulators/fal.ts";

export const FAL_KEY = "key-id:key-secret";
export const KONTEXT = "fal-ai/flux-pro/kontext/text-to-image";
/** What a model's id is called by once it is submitted. */
export const APP = "fal-ai/flux-pro";
/** In the middle of a second, and after the published webhook vectors. */
const START = 1_800_000_000_500;
export const never = new AbortController().signal;

export const generation = (more: Partial<Generation> = {}): Generation => ({
  attempt: crypto.randomUUID(),
  model: KONTEXT,
  tool: "text_to_image",
  prompt: "a lighthouse",
  params: { num_images: 1 },
  inputs: [],
  deadline: START + 180_000,
  webhook: null,
  ...more,
});

/** The id at the end of a ref. */
export const idOf = (ref: string): string => ref.split("/").at(-1) ?? "";

export type FalSetup = {
  emulator: FalEmulator;
  provider: Provider;
  /** Stands still until it is moved. */
  clock: { now: number };
  /** Submits, and gives the ref. */
  accepted(more?: Partial<Generation>): Promise<string>;
  check(ref: string): Promise<CheckOutcome>;
  close(): Promise<void>;
};

/** An emulator whose requests wait to be moved by hand, and a provider that talks to it. */
export const setupFal = async (options: FalOptions = {}, more: Partial<FalProviderDeps> = {}): Promise<FalSetup> => {
  const clock = { now: START };
  const now = () => clock.now;
  const forever = Number.POSITIVE_INFINITY;
  const emulator = await createFalEmulator({ key: FAL_KEY, now, queueMs: forever, runMs: forever, ...options });
  const log = createLog("silent");
  const provider = createFalProvider({ baseUrl: emulator.url, key: FAL_KEY, now, log, ...more });
  return {
    emulator,
    provider,
    clock,
    accepted: async (asked = {}) => {
      const outcome = await provider.submit(generation(asked), never);
      assert.ok(outcome.kind === "accepted", JSON.stringify(outcome));
      return outcome.ref;
    },
    check: (ref) => provider.check(ref, never),
    close: () => emulator.close(),
  };
};
