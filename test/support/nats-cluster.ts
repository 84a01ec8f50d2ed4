import { rm } from "node:fs/promises";
import { join } from "node:path";
import { connect } from "nats";
import type { Running } from "../../src/embedded/postgres-process.ts";
import { temporaryDirectory } from "./directory.ts";
import { launchEngine } from "./engine.ts";
import { obtainNats } from "./nats-binary.ts";
import { untilNats } from "./nats.ts";
import { freePort } from "./port.ts";

const SIZE = 3;
const READY_MS = 30_000;

/** Three real nats-servers as one JetStream cluster. */
export type NatsCluster = {
  /** All of them, as in NATS_URL. */
  url: string;
  version: string;
  /** SIGKILL to the one that leads a stream. Resolves to its name. */
  killLeader(stream: string): Promise<string>;
  /** Starts one again, on its store. */
  restart(name: string): Promise<void>;
  /** How many of them have all that a stream holds. */
  current(stream: string): Promise<number>;
  stop(): Promise<void>;
};

export const startNatsCluster = async (): Promise<NatsCluster> => {
  const program = await obtainNats();
  const store = await temporaryDirectory();
  const names = Array.from({ length: SIZE }, (_, n) => `nats-${n + 1}`);
  const ports = await Promise.all(names.map(freePort));
  const routePorts = await Promise.all(names.map(freePort));
  const routes = routePorts.map((port) => `nats-route://127.0.0.1:${port}`).join(",");
  const url = ports.map((port) => `nats://127.0.0.1:${port}`).join(",");
  const running = new Map<string, Running>();

  const start = async (name: string) => {
    const n = names.indexOf(name);
    const cluster = ["--cluster_name", "tests", "--cluster", `nats://127.0.0.1:${routePorts[n]}`, "--routes", routes];
    const args = ["-js", "-n", name, "-sd", join(store, name), "-a", "127.0.0.1", "-p", String(ports[n]), ...cluster];
    running.set(name, await launchEngine(program, args));
  };
  const kill = async (name: string) => {
    running.get(name)?.signal("SIGKILL");
    await running.get(name)?.ended;
    running.delete(name);
  };
  const ask = async <T>(question: (connection: Awaited<ReturnType<typeof connect>>) => Promise<T>): Promise<T> => {
    const connection = await connect({ servers: url.split(","), reconnect: false, timeout: 1000 });
    return question(connection).finally(() => connection.close());
  };
  const infoOf = (stream: string) =>
    ask(async (connection) => (await connection.jetstreamManager()).streams.info(stream));
  const stop = async () => {
    for (const name of names) await kill(name);
    await rm(store, { recursive: true, force: true });
  };

  try {
    for (const name of names) await start(name);
    await untilNats({ servers: url.split(",") }, READY_MS);
    const version = await ask(async ({ info }) => info?.version ?? "");
    return {
      url,
      version,
      killLeader: async (stream) => {
        const leader = (await infoOf(stream)).cluster?.leader ?? "";
        await kill(leader);
        return leader;
      },
      restart: start,
      current: async (stream) => {
        const { cluster } = await infoOf(stream);
        return 1 + (cluster?.replicas ?? []).filter(({ current, offline }) => current && !offline).length;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
};
