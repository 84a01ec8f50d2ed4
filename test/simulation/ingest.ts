import type { EffectHandler } from "../../src/actors/effects.ts";
import type { Draws } from "../../src/ports.ts";
import type { Gate } from "./gate.ts";
import { ask, type World } from "./line.ts";
import { createMishaps } from "./provider.ts";
import { CONFIG } from "./settings.ts";

const failed = (retryable: boolean) => ({
  type: "ingestFailed",
  code: "ingest_failed",
  message: "The outputs could not be stored",
  retryable,
});

/** The one effect that is not the real one: storing a picture would read and write files. */
export const createIngest = (world: World, gate: Gate, draws: Draws): EffectHandler => {
  const { random, weather } = world;
  const mishap = createMishaps(world, 1.5 * CONFIG.INGEST_TIMEOUT_MS);
  return {
    timeoutMs: CONFIG.INGEST_TIMEOUT_MS,
    concurrency: 4,
    run: async () => {
      await ask(world, gate, { name: "ingest", happen: () => {}, mishap });
      const draw = weather.rates().lostAnswers === 0 ? 1 : random.next();
      if (draw < 0.04) return failed(true);
      if (draw < 0.045) return failed(false);
      const key = draws.id();
      const output = { id: key, sha256: key, mime: "image/png", size_bytes: 1, raw_key: key, min_key: key };
      return { type: "ingested", outputs: [{ ...output, thumbnails: [] }] };
    },
    failed: () => failed(true),
  };
};
