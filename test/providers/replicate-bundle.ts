import { createLog } from "../../src/log.ts";
import type { Generation, Provider } from "../../src/ports.ts";
import { createReplicateProvider, type ReplicateDeps } from "../../src/providers/replicate/adapter.ts";
import type { Asked } from "../emulators/kit.ts";
import { createReplicateEmulator, type ReplicateOptions, TOKEN, WEBHOOK_SECRET } from "../emulators/replicate.ts";

export const HOOKS = "http://127.0.0.1:9/hooks/replicate";
export const FLUX = "black-forest-labs/flux-schnell";
export const SEEDREAM = "bytedance/seedream-4";
export const SEEDANCE = "bytedance/seedance-1-lite";

/** A signal that never aborts. */
export const never = new AbortController().signal;

/** A generation with an attempt id of its own and a webhook that names it. */
export const generation = (more: Partial<Generation> = {}): Generation => {
  const attempt = crypto.randomUUID();
  return {
    attempt,
    model: FLUX,
    tool: "text_to_image",
    prompt: "a lighthouse",
    params: { aspect_ratio: "1:1" },
    inputs: [],
    deadline: Date.now() + 600_000,
    webhook: `${HOOKS}/${attempt}`,
    ...more,
  };
};

/** An emulator whose runs wait for a hand, and the adapter that talks to it. `clock` moves the emulator's time. */
export const setup = async ({
  emulator: options = {},
  adapter = {},
}: {
  emulator?: ReplicateOptions;
  adapter?: Partial<ReplicateDeps>;
} = {}) => {
  const clock = { ahead: 0 };
  const now = () => Date.now() + clock.ahead;
  const emulator = await createReplicateEmulator({
    now,
    queueMs: Number.POSITIVE_INFINITY,
    runMs: Number.POSITIVE_INFINITY,
    ...options,
  });
  const provider: Provider = createReplicateProvider({
    baseUrl: emulator.base,
    token: TOKEN,
    webhookBase: HOOKS,
    webhookSecret: WEBHOOK_SECRET,
    now,
    log: createLog("silent"),
    ...adapter,
  });
  return {
    emulator,
    provider,
    clock,
    /** Submits and gives the ref; throws when it is not accepted. */
    async accepted(more: Partial<Generation> = {}): Promise<string> {
      const outcome = await provider.submit(generation(more), never);
      if (outcome.kind !== "accepted") throw new Error(`not accepted: ${JSON.stringify(outcome)}`);
      return outcome.ref;
    },
    check: (ref: string) => provider.check(ref, never),
    asked: (on: string): Asked[] => emulator.requests.filter((request) => request.on === on),
    [Symbol.asyncDispose]: () => emulator.close(),
  };
};

export const bytesOf = async (provider: Provider, url: string): Promise<number> => {
  const { body } = await provider.download({ url }, never);
  let bytes = 0;
  for await (const chunk of body) bytes += (chunk as Uint8Array).length;
  return bytes;
};
