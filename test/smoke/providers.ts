import { type Config, readConfig } from "../../src/config.ts";
import type { Ledger } from "../../src/embedded/simulated/ledger.ts";
import { createSimulatedProvider } from "../../src/embedded/simulated/provider.ts";
import type { Log } from "../../src/log.ts";
import { offered } from "../../src/models/catalog.ts";
import type { OfferedModel } from "../../src/models/model.ts";
import type { Provider } from "../../src/ports.ts";
import { createRealProviders } from "../../src/services.ts";
import type { Poll } from "./generate.ts";

type Environment = Record<string, string | undefined>;

/** What each needs in the environment. */
const KEYS: Record<string, readonly string[]> = {
  higgsfield: ["HIGGSFIELD_API_KEY", "HIGGSFIELD_SECRET"],
  replicate: ["REPLICATE_API_TOKEN"],
  fal: ["FAL_KEY"],
  simulated: [],
};

export const PROVIDERS = Object.keys(KEYS);

/** The variables that are missing for this provider. */
export const missingFor = (name: string, env: Environment): string[] =>
  (KEYS[name] ?? []).filter((variable) => !env[variable]);

/** What must not be shown: the values of the keys, and the parts of those that have two. */
export const secretsOf = (env: Environment): string[] =>
  Object.values(KEYS)
    .flat()
    .flatMap((variable) => [env[variable] ?? "", ...(env[variable] ?? "").split(":")])
    .filter((secret) => secret.length > 3);

/** The books of the simulated provider, kept while the program runs. */
const createMemoryLedger = (): Ledger => {
  const submits = new Map<string, { ref: string; canceledAt: number | null }>();
  return {
    record: async ({ attempt, ref }) => {
      const known = submits.get(attempt);
      if (!known) submits.set(attempt, { ref, canceledAt: null });
      return { ref: known?.ref ?? ref, first: known === undefined };
    },
    find: async (attempt) => submits.get(attempt) ?? null,
    count: async () => 0,
    cancel: async (attempt, at) => {
      const known = submits.get(attempt);
      if (known) known.canceledAt ??= at;
    },
  };
};

const createSimulated = (config: Config, log: Log): Provider =>
  createSimulatedProvider({
    ledger: createMemoryLedger(),
    now: Date.now,
    secret: crypto.randomUUID(),
    latencyMs: config.SIMULATED_LATENCY_MS,
    queueMs: config.SIMULATED_QUEUE_MS,
    failureRate: config.SIMULATED_FAILURE_RATE,
    lostRate: config.SIMULATED_LOST_RATE,
    log,
  });

/** The provider as the server itself would have it with these settings, and how often to ask it. */
export const openProvider = (name: string, env: Environment, log: Log): { provider: Provider; poll: Poll } => {
  // Production has other rules of its own, and nothing here is served.
  const config = readConfig({ ...env, NODE_ENV: "development" });
  const provider =
    name === "simulated"
      ? createSimulated(config, log)
      : createRealProviders(config, log, Date.now).find((made) => made.provider.name === name)?.provider;
  if (!provider) throw new Error(`${name} is not configured`);
  return { provider, poll: { minMs: config.POLL_MIN_MS, maxMs: config.POLL_MAX_MS, factor: config.POLL_FACTOR } };
};

const WORDS = ["low", "medium", "high"];

/** The cheapest way to make anything there: of the cheapest pictures from words alone, the one that is done first. */
export const cheapestModel = (name: string): OfferedModel => {
  const [cheapest] = offered({ providers: new Set([name]) })
    .filter(({ tools, through }) => through === name && tools.includes("text_to_image"))
    .toSorted(
      (a, b) => WORDS.indexOf(a.cost.word) - WORDS.indexOf(b.cost.word) || a.latency.typical_s - b.latency.typical_s,
    );
  if (!cheapest) throw new Error(`no model of ${name} makes pictures`);
  return cheapest;
};
