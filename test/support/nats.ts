import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { type ConnectionOptions, connect } from "nats";
import { temporaryDirectory } from "./directory.ts";
import { engineAnswers } from "./docker.ts";
import { findNats, obtainNats } from "./nats-binary.ts";
import { containedNats, type Engine, localNats } from "./nats-engine.ts";
import { freePort } from "./port.ts";

const READY_MS = 10_000;

/** A real nats-server with JetStream. */
export type TestNats = {
  url: string;
  /** Where it keeps its streams. */
  store: string;
  /** The power goes out: SIGKILL. What JetStream acknowledged is on disk. */
  kill(): Promise<void>;
  /** Starts it again on the same port and store. */
  restart(): Promise<void>;
  /** Ends it and removes its store if it was made here. */
  stop(): Promise<void>;
};

/** Waits until a server answers for JetStream. */
export const untilNats = async (client: ConnectionOptions, ms = READY_MS): Promise<void> => {
  const deadline = performance.now() + ms;
  for (;;) {
    try {
      const connection = await connect({ ...client, reconnect: false, timeout: 1000 });
      await connection.jetstreamManager().finally(() => connection.close());
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await wait(20);
    }
  }
};

const chooseEngine = async (port: number, store: string, directory: string, args: string[]): Promise<Engine> => {
  const found = await findNats();
  if (!found && (await engineAnswers())) return containedNats(port, directory, args);
  const own = ["-js", "-sd", store, "-a", "127.0.0.1", "-p", String(port)];
  return localNats(found ?? (await obtainNats()), [...own, ...args]);
};

/**
 * Starts nats-server: NATS_SERVER_BIN, else from PATH, else as a container, else unpacked from the Debian package.
 * @param options `config` is added to its configuration; `client`: how one connects then
 */
export const startNats = async (
  options: {
    port?: number;
    storeDir?: string;
    config?: (directory: string) => Promise<string>;
    client?: (directory: string) => ConnectionOptions;
  } = {},
): Promise<TestNats> => {
  const port = options.port ?? (await freePort());
  const store = options.storeDir ?? (await temporaryDirectory());
  const directory = await temporaryDirectory();
  const file = join(directory, "nats.conf");
  await writeFile(file, (await options.config?.(directory)) ?? "");
  const engine = await chooseEngine(port, store, directory, options.config ? ["-c", file] : []);
  const start = async () => {
    await engine.start();
    await untilNats({ ...options.client?.(directory), servers: `127.0.0.1:${port}` });
  };
  const stop = async () => {
    await engine.kill().catch(() => undefined);
    await engine.remove();
    await rm(directory, { recursive: true, force: true });
    if (!options.storeDir) await rm(store, { recursive: true, force: true });
  };
  await start().catch(async (error) => {
    await stop();
    throw error;
  });
  return { url: `nats://127.0.0.1:${port}`, store, kill: engine.kill, restart: start, stop };
};
