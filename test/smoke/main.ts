/**
 * `npm run smoke -- <provider>`: one cheap generation with the keys of the environment, through the adapter that the
 * server uses. It costs what its first line says. `--prompt TEXT` for another picture.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import pino from "pino";
import { untilSignal } from "../prove/until-signal.ts";
import { generate } from "./generate.ts";
import { cheapestModel, missingFor, openProvider, PROVIDERS, secretsOf } from "./providers.ts";

const USAGE = `usage: npm run smoke -- ${PROVIDERS.join("|")} [--prompt TEXT]`;

/** Whatever anybody says, the keys stay where they are. */
const secrets = secretsOf(process.env);
const print = (stream: NodeJS.WriteStream, line: string) => {
  stream.write(`${secrets.reduce((text, secret) => text.replaceAll(secret, "***"), line)}\n`);
};
const say = (step: string, text: string) => print(process.stdout, `${step.padEnd(10)} ${text}`);

/** The adapters' own notes: each call with its status, and the request id that the provider's support will ask for. */
const log = pino(
  { level: "debug", base: null, timestamp: false },
  {
    write: (line: string) => {
      const { level: _, msg, ...fields } = JSON.parse(line);
      const told = Object.entries(fields).map(
        ([name, value]) => `${name}=${typeof value === "object" ? JSON.stringify(value) : value}`,
      );
      say("  ·", [msg, ...told].join(" "));
    },
  },
);

const main = async () => {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { prompt: { type: "string", default: "A small red fox in the snow" } },
  });
  const [name = ""] = positionals;
  if (positionals.length !== 1 || !PROVIDERS.includes(name)) throw new Error(USAGE);
  const missing = missingFor(name, process.env);
  if (missing.length > 0) throw new Error(`${missing.join(" and ")} must be set in the environment`);
  say("provider", name);
  await generate({
    ...openProvider(name, process.env, log),
    model: cheapestModel(name),
    prompt: values.prompt,
    say,
    signal: untilSignal(),
  });
};

await main().catch((error: Error) => {
  print(process.stderr, `failed: ${error.message}`);
  process.exitCode = 1;
});
