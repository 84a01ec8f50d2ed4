import { link, rename, rm, stat } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";

/** One process's hold on a directory. */
export type Claim = {
  /** Throws when another process has taken the claim over (two starts that raced for a stale one). */
  verify(): Promise<void>;
  release(): Promise<void>;
};

const ANSWER_MS = 1000;
/** Longer than a PostgreSQL whose Darkroom was killed takes to stop. */
const MUTE_MS = 15_000;
const RETRY_MS = 50;

/** Asks whoever listens at `path`: its pid, `unknown` when it is alive but mute, null when nobody is there. */
const holder = (path: string): Promise<string | null> =>
  new Promise((resolve, reject) => {
    let said = "";
    const socket = connect(path);
    socket.setTimeout(ANSWER_MS, () => socket.destroy());
    socket.setEncoding("utf8");
    socket.on("data", (text) => {
      said += text;
    });
    socket.on("close", () => resolve(said || "unknown"));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED" || error.code === "ENOENT") resolve(null);
      else if (error.code === "ECONNRESET" || error.code === "EPIPE") resolve("unknown");
      else reject(error);
    });
  });

const listen = (path: string): Promise<Server | null> =>
  new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      socket.end(String(process.pid));
    });
    server.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(null) : reject(error),
    );
    server.listen(path, () => resolve(server));
  });

/** Moves a dead socket out of the way. What was moved is asked again: it may be a rival's fresh one. */
const bury = async (path: string): Promise<void> => {
  const aside = `${path}.${process.pid}`;
  await rename(path, aside).catch(() => undefined);
  if ((await holder(aside)) !== null) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
};

/**
 * Claims a directory by listening on a socket in it. The kernel says whether the holder lives: a
 * connect succeeds or is refused, whatever became of its pid, also between containers that share a
 * volume. (A pid file cannot tell a reused pid, and lies across pid namespaces.) A holder that is mute is
 * given time: Deno hands the listening socket down to PostgreSQL, which outlives a killed Darkroom by moments.
 * @throws Error that names the holder when it is alive
 */
export const claim = async (path: string, directory: string): Promise<Claim> => {
  const patience = performance.now() + MUTE_MS;
  for (let attempt = 0; attempt < 10; attempt++) {
    const server = await listen(path);
    if (server) {
      const { ino } = await stat(path);
      return {
        verify: async () => {
          const now = await stat(path).catch(() => null);
          if (now?.ino !== ino) throw new Error(`another Darkroom took ${directory} at the same moment; start again`);
        },
        release: () => new Promise((resolve) => server.close(() => resolve())),
      };
    }
    let pid = await holder(path);
    for (; pid === "unknown" && performance.now() < patience; pid = await holder(path)) await wait(RETRY_MS);
    if (pid !== null)
      throw new Error(
        `another Darkroom (pid ${pid}) is already using ${directory}: stop it, or set another DATA_DIR (and PORT) for this one`,
      );
    await bury(path);
  }
  throw new Error(`could not claim ${directory}: ${path} keeps changing hands`);
};
