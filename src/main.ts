import process from "node:process";
import { createApp } from "./app.ts";
import { type Config, readConfig } from "./config.ts";
import { createGate } from "./runtime/gate.ts";
import { greeting } from "./runtime/greeting.ts";
import { listen } from "./runtime/select.ts";
import { listenToSignals } from "./runtime/signals.ts";

/** Longer than any orderly stop takes; what is left then is not waited for. */
const STOP_MS = 35_000;
const IMPATIENT = 130;
/** A form upload carries its fields and boundaries besides the file. */
const FORM_BYTES = 1024 * 1024;

/** The embedded S3 is behind the same port, so the listener's bound is that of the largest file. */
const largestBody = (config: Config) =>
  config.S3_ENDPOINT_INTERNAL
    ? config.BODY_LIMIT_BYTES
    : Math.max(config.BODY_LIMIT_BYTES, config.UPLOAD_MAX_BYTES + FORM_BYTES, config.OUTPUT_MAX_BYTES);

const stopped = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });

/** Runs until `stop` is aborted. Each thing that was opened is closed again, in the opposite order. */
const run = async (env: NodeJS.ProcessEnv, stop: AbortSignal, giveUp: () => void): Promise<void> => {
  const wanted = readConfig(env);
  const gate = createGate();
  const listening = await listen({ host: wanted.HOST, port: wanted.PORT, maxBody: largestBody(wanted) }, gate);
  try {
    // PORT=0 is known only now, and PUBLIC_URL follows from it.
    const config = readConfig({ ...env, PORT: String(listening.port) });
    await using app = await createApp(config);
    gate.open(app);
    await app.start();
    if (!stop.aborted) process.stdout.write(greeting(config));
    await stopped(stop);
    setTimeout(giveUp, config.DRAIN_DELAY_MS + STOP_MS).unref();
    gate.drain();
    await app.drain();
    // Before the app closes: no new connection, and those in the middle of a request get their answer.
    await listening.stop();
  } finally {
    await listening.stop();
  }
};

const wishes = listenToSignals();
wishes.again(() => process.exit(IMPATIENT));
let code = 0;
try {
  await run(process.env, wishes.first, () => process.exit(1));
} catch (error) {
  code = 1;
  console.error(error instanceof Error ? error.message : String(error));
}
process.exit(code);
