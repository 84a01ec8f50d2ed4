import { execFile, spawn } from "node:child_process";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { until } from "../streams/until.ts";
import type { Image } from "./build.ts";

const run = promisify(execFile);

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** A process that sees the image as its disk, and itself as the first one of its machine. */
export type Container = {
  /** Everything that it has said. */
  logs(): string;
  /** Resolves when its health check succeeds. Rejects when it ends first, or after `ms`. */
  healthy(ms: number): Promise<void>;
  /** Sends the image's stop signal. Resolves with the exit code; after `ms`, with null, having killed it. */
  stop(ms: number): Promise<number | null>;
  /** Resolves with the exit code. */
  ended: Promise<number | null>;
};

/** The disk as `read_only: true`, `tmpfs: [/tmp]` and the image's volumes make it; then the image's user without any right. */
const enter = ({ root, user, workdir, env, volumes }: Image, mount: boolean): string => {
  const [uid, gid] = user.split(":");
  const identity = `setpriv --reuid=${uid} --regid=${gid} --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all`;
  const variables = Object.entries({ PATH, HOME: "/data", ...env }).map(([name, value]) => `'${name}=${value}'`);
  const steps = [
    "mount --make-rprivate /",
    `mount --bind ${root} ${root}`,
    `mount -t proc proc ${root}/proc`,
    `mount -t tmpfs -o mode=1777,noexec,nosuid,nodev tmpfs ${root}/tmp`,
    `mount -t tmpfs -o mode=1777,noexec,nosuid,nodev,size=64m tmpfs ${root}/dev/shm`,
    ...volumes.map((volume) => `mount --bind ${root}${volume} ${root}${volume}`),
    `mount -o remount,bind,ro ${root}`,
  ];
  const command = `exec chroot ${root} ${identity} -- env -i --chdir=${workdir} ${variables.join(" ")} "$@"`;
  return [...(mount ? steps : []), command].join("\n");
};

/** The first process in there, as this machine numbers it. */
const firstOf = async (unshare: number): Promise<number> =>
  Number((await readFile(`/proc/${unshare}/task/${unshare}/children`, "utf8").catch(() => "")).trim());

/**
 * Runs the image's program as a container would: in mount and process namespaces of its own, as the image's user,
 * without capabilities, on a disk that is read-only but for /tmp and the volumes. The network is this machine's.
 */
export const startContainer = async (image: Image, env: Record<string, string>): Promise<Container> => {
  const given = { ...image, env: { ...image.env, ...env } };
  await mkdir(join(image.root, "dev/shm"), { recursive: true });
  const script = ["/bin/sh", "-ec", enter(given, true), "sh", ...image.entrypoint, ...image.cmd];
  const namespaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--"];
  const [program, ...args] = ["setpriv", "--pdeathsig=KILL", "--", ...namespaces, ...script] as const;
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let logs = "";
  for (const output of [child.stdout, child.stderr]) output.setEncoding("utf8").on("data", (text) => (logs += text));
  let over = false;
  const ended = new Promise<number | null>((resolve) => {
    child.once("close", (code) => {
      over = true;
      resolve(code);
    });
  });
  let first = 0;
  await until(async () => over || (first = await firstOf(child.pid ?? 0)) > 0);
  const probe = ["/bin/sh", "-ec", enter(given, false), "sh", ...image.healthcheck];
  const asks = () =>
    run("nsenter", [`--target=${first}`, "--mount", "--pid", "--", ...probe]).then(
      () => true,
      () => over,
    );
  return {
    logs: () => logs,
    ended,
    healthy: async (ms) => {
      await until(asks, ms);
      if (over) throw new Error(`it ended:\n${logs}`);
    },
    stop: async (ms) => {
      process.kill(first, image.stopSignal);
      const late = setTimeout(() => child.kill("SIGKILL"), ms);
      return ended.finally(() => clearTimeout(late));
    },
  };
};
