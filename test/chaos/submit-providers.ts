/** The emulators under attack, each with the settings that lead the server to it and to nothing else. */
import { createFalEmulator } from "../emulators/fal.ts";
import { createHiggsfieldEmulator } from "../emulators/higgsfield.ts";
import type { Emulator } from "../emulators/kit.ts";
import { createReplicateEmulator, TOKEN } from "../emulators/replicate.ts";
import { stateOf } from "../emulators/replicate-run.ts";

export type ProviderName = "higgsfield" | "replicate" | "fal";
export const PROVIDERS: readonly ProviderName[] = ["higgsfield", "replicate", "fal"];

/** A provider that keeps its books: what was billed, and how a generation that it took has ended. */
export type Target = {
  name: ProviderName;
  emulator: Pick<Emulator, "ledger" | "faults" | "onSubmit">;
  settings: Record<string, string>;
  /** What is known of each generation at the provider; undefined while it goes on. */
  endingOf(id: string): string | undefined;
  close(): Promise<void>;
};

/** A generation takes long enough that there are always some dozens under way, and less than the job's limit. */
const TIMES = { latencyMs: 10, queueMs: 300, runMs: 2500, timers: true };

type Runs<T> = { get(id: string): T | undefined; phaseOf(run: T): string };
const endings =
  <T extends { ending: { kind: string } }>(runs: Runs<T>) =>
  (id: string) => {
    const run = runs.get(id);
    return run && runs.phaseOf(run) === "ended" ? run.ending.kind : undefined;
  };

/** Starts the emulator of one provider; its jobs end after `limitMs` when nobody knows what became of their submit. */
export const openTarget = async (name: ProviderName, times = TIMES): Promise<Target> => {
  switch (name) {
    case "higgsfield": {
      const emulator = await createHiggsfieldEmulator(times);
      const keys = { HIGGSFIELD_BASE_URL: emulator.url, HIGGSFIELD_API_KEY: "hf-id", HIGGSFIELD_SECRET: "hf-secret" };
      // The same key again finds out whatever became of a submit, so nothing needs to end as unknown, however often
      // whoever asks is killed: by a limit of one minute, 54 jobs of 2,438 did.
      const settings = { ...keys, JOB_TIMEOUT_MS: "1800000" };
      return { name, emulator, settings, endingOf: endings(emulator.runs), close: emulator.close };
    }
    case "replicate": {
      const emulator = await createReplicateEmulator(times);
      const settings = {
        REPLICATE_BASE_URL: emulator.base,
        REPLICATE_API_TOKEN: TOKEN,
        JOB_TIMEOUT_MS: String(UNKNOWN_AFTER_MS),
      };
      const { runs } = emulator;
      const endingOf = (id: string) => {
        const run = runs.get(id);
        const status = run && stateOf(run, runs.phaseOf(run), Date.now()).status;
        // By its own deadline, whatever it would have come to.
        return status === "canceled" || status === "aborted" ? "canceled" : endings(runs)(id);
      };
      return { name, emulator, settings, endingOf, close: emulator.close };
    }
    case "fal": {
      const emulator = await createFalEmulator(times);
      const settings = { FAL_BASE_URL: emulator.url, FAL_KEY: "id:secret", JOB_TIMEOUT_MS: String(UNKNOWN_AFTER_MS) };
      return { name, emulator, settings, endingOf: endings(emulator.runs), close: emulator.close };
    }
  }
};

/** Looks for a lost submit come after about 1, 3 and 7 seconds: the third one is the last. */
const UNKNOWN_AFTER_MS = 6000;
