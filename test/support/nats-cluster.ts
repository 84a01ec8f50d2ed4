import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connect } from "nats";
import { temporaryDirectory } from "./directory.ts";
import { untilNats } from "./nats.ts";
import { obtainNats } from "./nats-binary.ts";
import { localNats } from "./nats-engine.ts";
import { freePort } from "./port.ts";

const SERVERS = 3;
/** Debian's takes 5 s and more to elect a leader. */
const READY_MS = 60_000;

export type ClusterServer = {
  name: string;
  url: string;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Stands still, and goes on. */
  freeze(): void;
  thaw(): void;
  /** Starts it again, on the same store or on an empty one. */
  restart(options?: { wiped?: boolean }): Promise<void>;
};

/** Three real nats-servers with JetStream that are one cluster, on this machine. */
export type TestCluster = {
  /** As NATS_URL names them. */
  url: string;
  servers: readonly ClusterServer[];
  /** The server that leads a stream. */
  leaderOf(stream: string): Promise<ClusterServer>;
  stop(): Promise<void>;
};

type Ports = { client: number; route: number };

const configOf = (name: string, { client, route }: Ports, store: string, all: readonly Ports[]) => `
  server_name: ${name}
  listen: 127.0.0.1:${client}
  jetstream { store_dir: "${store}" }
  cluster {
    name: darkroom-test
    listen: 127.0.0.1:${route}
    routes: [${all.map((ports) => `"nats://127.0.0.1:${ports.route}"`).join(", ")}]
  }
`;

export const startNatsCluster = async (): Promise<TestCluster> => {
  const binary = await obtainNats();
  const directory = await temporaryDirectory();
  const free = new Set<number>();
  while (free.size < 2 * SERVERS) free.add(await freePort());
  const numbers = [...free];
  const ports = Array.from(
    { length: SERVERS },
    (_, n): Ports => ({
      client: numbers[2 * n] ?? 0,
      route: numbers[2 * n + 1] ?? 0,
    }),
  );
  const url = ports.map(({ client }) => `nats://127.0.0.1:${client}`).join(",");
  const servers = await Promise.all(
    ports.map(async (own, n): Promise<ClusterServer> => {
      const name = `server-${n + 1}`;
      const store = join(directory, name);
      const file = join(directory, `${name}.conf`);
      await writeFile(file, configOf(name, own, store, ports));
      const engine = await localNats(binary, ["-c", file]);
      await engine.start();
      return {
        name,
        url: `nats://127.0.0.1:${own.client}`,
        kill: engine.kill,
        freeze: () => engine.signal("SIGSTOP"),
        thaw: () => engine.signal("SIGCONT"),
        restart: async ({ wiped = false } = {}) => {
          if (wiped) for (const part of await readdir(store)) await rm(join(store, part), { recursive: true });
          await engine.start();
        },
      };
    }),
  );
  const stop = async () => {
    for (const server of servers) await server.kill();
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  };
  await untilNats({ servers: url.split(",") }, READY_MS).catch(async (error) => {
    await stop();
    throw error;
  });
  return {
    url,
    servers,
    leaderOf: async (stream) => {
      const connection = await connect({ servers: url.split(",") });
      try {
        const { cluster } = await (await connection.jetstreamManager()).streams.info(stream);
        const leader = servers.find(({ name }) => name === cluster?.leader);
        if (!leader) throw new Error(`${stream} has no leader`);
        return leader;
      } finally {
        await connection.close();
      }
    },
    stop,
  };
};
