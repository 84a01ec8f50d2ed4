/** Starts one provider emulator for people who develop against it: `npm run emulator -- higgsfield --port 4010`. */
import process from "node:process";
import { parseArgs } from "node:util";
import { createFalEmulator } from "./fal.ts";
import { createHiggsfieldEmulator } from "./higgsfield.ts";
import { endingIn } from "./kit-prompt.ts";
import { createReplicateEmulator, TOKEN } from "./replicate.ts";

const USAGE = `usage: npm run emulator -- higgsfield|replicate|fal [options]
  --port N       port to listen on; default a free one
  --latency MS   time of every answer; default 30
  --queue MS     time in the queue; default 1000
  --run MS       time of the work; default 4000
A prompt may ask for another end than success: [fail] [timeout] [silent] [moderate] [empty] [expired]`;

type Options = {
  port: number;
  latencyMs: number;
  queueMs: number;
  runMs: number;
  timers: true;
  log(line: string): void;
};
type Started = { close(): Promise<void>; settings: Record<string, string> };

const STARTERS: Record<string, (options: Options) => Promise<Started>> = {
  higgsfield: async (options) => {
    const [apiKey, secret] = ["hf-id", "hf-secret"];
    const { url, close } = await createHiggsfieldEmulator({ ...options, apiKey, secret });
    const settings = { HIGGSFIELD_BASE_URL: url, HIGGSFIELD_API_KEY: apiKey, HIGGSFIELD_SECRET: secret };
    return { close, settings };
  },
  replicate: async (options) => {
    const { base, close } = await createReplicateEmulator(options);
    return { close, settings: { REPLICATE_BASE_URL: base, REPLICATE_API_TOKEN: TOKEN } };
  },
  fal: async (options) => {
    const missing = { kind: "failed", code: "missing", message: "Field required" } as const;
    const endingOf = ({ prompt }: Record<string, unknown>) => (prompt ? endingIn(prompt) : missing);
    const { url, close } = await createFalEmulator({ ...options, endingOf });
    return { close, settings: { FAL_BASE_URL: url, FAL_KEY: "fal-id:fal-secret" } };
  },
};

const say = (line: string) => void process.stdout.write(`${line}\n`);

const milliseconds = (name: string, value: string): number => {
  const ms = Number(value);
  if (value.trim() === "" || !Number.isFinite(ms) || ms < 0) throw new Error(`--${name} ${value} is not a number`);
  return ms;
};

const main = async () => {
  const text = (fallback: string) => ({ type: "string", default: fallback }) as const;
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { port: text("0"), latency: text("30"), queue: text("1000"), run: text("4000") },
  });
  const start = positionals.length === 1 ? STARTERS[positionals[0] ?? ""] : undefined;
  if (!start) throw new Error("name one provider");
  const { close, settings } = await start({
    port: milliseconds("port", values.port),
    latencyMs: milliseconds("latency", values.latency),
    queueMs: milliseconds("queue", values.queue),
    runMs: milliseconds("run", values.run),
    timers: true,
    log: say,
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void close());
  for (const [name, value] of Object.entries(settings)) say(`${name}=${value}`);
};

await main().catch((error: Error) => {
  process.stderr.write(`${error.message}\n${USAGE}\n`);
  process.exitCode = 1;
});
