import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { connect } from "nats";
import type { Running } from "../../src/embedded/postgres-process.ts";
import { findProgram, getProgram } from "./debian-package.ts";
import { temporaryDirectory } from "./directory.ts";
import { engineAnswers } from "./docker.ts";
import { launchEngine } from "./engine.ts";
import { freePort } from "./port.ts";

const run = promisify(execFile);

const PACKAGE = { name: "nats-server", program: "usr/sbin/nats-server" };
const IMAGE = "nats:2.12";
const READY_MS = 10_000;
const DOWNLOAD_MS = 120_000;

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

/** Something that can be started on a port and killed, again and again. */
type Engine = { start(): Promise<void>; kill(): Promise<void>; remove(): Promise<void> };

const local = (binary: string, port: number, store: string): Engine => {
  let server: Running | undefined;
  return {
    start: async () => {
      server = await launchEngine(binary, ["-js", "-sd", store, "-a", "127.0.0.1", "-p", String(port)]);
    },
    kill: async () => {
      server?.signal("SIGKILL");
      await server?.ended;
    },
    remove: async () => {},
  };
};

const container = (port: number): Engine => {
  const name = `darkroom-test-nats-${process.pid}-${port}`;
  let created = false;
  return {
    start: async () => {
      const fresh = ["run", "-d", "--name", name, "-p", `127.0.0.1:${port}:4222`, IMAGE, "-js", "-sd", "/data"];
      await run("docker", created ? ["start", name] : fresh, { timeout: DOWNLOAD_MS });
      created = true;
    },
    kill: async () => void (await run("docker", ["kill", name])),
    remove: async () => void (await run("docker", ["rm", "-f", "-v", name])),
  };
};

/** The program itself: `NATS_SERVER_BIN`, else from PATH, else unpacked. Rejects with the line that installs it. */
export const natsProgram = async (): Promise<string> =>
  process.env.NATS_SERVER_BIN ?? (await getProgram(PACKAGE, "these tests"));

const chooseEngine = async (port: number, store: string): Promise<Engine> => {
  const missing = !process.env.NATS_SERVER_BIN && (await findProgram(PACKAGE)) === undefined;
  if (missing && (await engineAnswers())) return container(port);
  return local(await natsProgram(), port, store);
};

/**
 * Starts nats-server: `NATS_SERVER_BIN`, else from PATH, else a container, else the Debian package in `.cache/`.
 * @throws Error with the one line that installs it where none of these is possible
 */
export const startNats = async (options: { port?: number; storeDir?: string } = {}): Promise<TestNats> => {
  const port = options.port ?? (await freePort());
  const store = options.storeDir ?? (await temporaryDirectory());
  const engine = await chooseEngine(port, store);
  const url = `nats://127.0.0.1:${port}`;
  const answers = async () => {
    const client = await connect({ servers: url, reconnect: false, timeout: 1000 });
    await client.jetstreamManager().finally(() => client.close());
  };
  const start = async () => {
    await engine.start();
    const deadline = performance.now() + READY_MS;
    for (;;) {
      try {
        return await answers();
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await wait(20);
      }
    }
  };
  const stop = async () => {
    await engine.kill().catch(() => undefined);
    await engine.remove();
    if (!options.storeDir) await rm(store, { recursive: true, force: true });
  };
  await start().catch(async (error) => {
    await stop();
    throw error;
  });
  return { url, store, kill: engine.kill, restart: start, stop };
};
