import { execFile } from "node:child_process";
import { mkdir, readdir, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { debianRoot } from "./debian.ts";
import { type Instruction, pairsOf, readIgnored, readStages, type Stage, wordsOf } from "./dockerfile.ts";

const run = promisify(execFile);

const CONTEXT = fileURLToPath(new URL("../../", import.meta.url));
const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const RUN_MS = 10 * 60_000;

/** What a container is started from. */
export type Image = {
  root: string;
  workdir: string;
  env: Record<string, string>;
  user: string;
  entrypoint: string[];
  cmd: string[];
  healthcheck: string[];
  stopSignal: NodeJS.Signals;
  volumes: string[];
};

type Shell = (image: Image, script: string) => Promise<unknown>;

const options = { timeout: RUN_MS, maxBuffer: 64 * 1024 * 1024 };

/** On this machine, whose Node and npm stand for those of the image: such a stage may write to its WORKDIR only. */
const onThisMachine: Shell = ({ root, workdir, env }, script) =>
  run("/bin/sh", ["-ec", script], { ...options, cwd: join(root, workdir), env: { ...process.env, ...env } });

/** In the folder, as if it were the whole disk. */
const inTheFolder: Shell = ({ root, workdir, env }, script) =>
  run("chroot", [root, "/bin/sh", "-ec", `cd ${workdir}; ${script}`], {
    ...options,
    env: { PATH: DEFAULT_PATH, ...env },
  });

/** An empty folder for an image with Node, a copy of a Debian for a plain one. */
const startFrom = async (base: string, root: string): Promise<Shell> => {
  const [, release] = /^debian:([a-z]+)-slim$/.exec(base) ?? [];
  if (release) {
    await run("cp", ["-a", await debianRoot(release), root]);
    return inTheFolder;
  }
  if (!base.startsWith("node:")) throw new Error(`nobody here stands for the image ${base}`);
  await mkdir(root, { recursive: true });
  return onThisMachine;
};

type Source = { root: string; ignored: (entry: string) => boolean };

const copy = async ({ flags, rest }: Instruction, image: Image, sources: (from?: string) => Source): Promise<void> => {
  const { root, ignored } = sources(flags.from);
  const paths = rest.split(/\s+/);
  const target = paths.pop() ?? "";
  const to = join(image.root, resolve(image.workdir, target));
  for (const path of paths) {
    if (ignored(path.split("/")[0] ?? "")) throw new Error(`.dockerignore keeps ${path} from the build`);
    const from = join(root, path);
    const directory = (await stat(from)).isDirectory();
    if (!directory && !target.endsWith("/")) {
      await mkdir(join(to, ".."), { recursive: true });
      await run("cp", ["--preserve=mode", from, to]);
      continue;
    }
    await mkdir(to, { recursive: true });
    // Of a directory, what is in it: its own name is not copied.
    const inside = directory ? (await readdir(from)).map((name) => join(from, name)) : [from];
    await run("cp", ["-R", "--preserve=mode,links", ...inside, directory ? to : join(to, basename(path))]);
  }
};

/** Follows one instruction; what it says of the image is in `image` afterwards. */
const follow = async (
  instruction: Instruction,
  image: Image,
  { shell, sources }: { shell: Shell; sources: (from?: string) => Source },
): Promise<void> => {
  const { name, rest } = instruction;
  if (name === "RUN") await shell(image, rest);
  else if (name === "COPY") await copy(instruction, image, sources);
  else if (name === "ENV") Object.assign(image.env, pairsOf(rest));
  else if (name === "USER") image.user = rest;
  else if (name === "VOLUME") image.volumes.push(rest);
  else if (name === "ENTRYPOINT") image.entrypoint = wordsOf(rest);
  else if (name === "CMD") image.cmd = wordsOf(rest);
  else if (name === "HEALTHCHECK") image.healthcheck = wordsOf(rest.replace(/^CMD /, ""));
  else if (name === "STOPSIGNAL") image.stopSignal = rest as NodeJS.Signals;
  else if (name === "WORKDIR") {
    image.workdir = resolve(image.workdir, rest);
    await mkdir(join(image.root, image.workdir), { recursive: true });
  } else if (!["ARG", "EXPOSE", "LABEL"].includes(name)) throw new Error(`nobody here follows ${name}`);
};

/** Follows the repository's Dockerfile, each stage in a folder of its own below `directory`. Resolves to the last. */
export const buildImage = async (directory: string, say: (line: string) => void): Promise<Image> => {
  const ignored = await readIgnored();
  const built = new Map<string, Image>();
  const sources = (from?: string): Source => {
    if (from === undefined) return { root: CONTEXT, ignored };
    const stage = built.get(from);
    if (!stage) throw new Error(`there is no stage ${from}`);
    return { root: stage.root, ignored: () => false };
  };
  const build = async ({ name, base, instructions }: Stage): Promise<Image> => {
    const root = join(directory, name);
    const shell = await startFrom(base, root);
    const image: Image = {
      ...{ root, workdir: "/", env: {}, user: "0:0", volumes: [] },
      ...{ entrypoint: [], cmd: [], healthcheck: [], stopSignal: "SIGTERM" },
    };
    for (const instruction of instructions) {
      say(`${name}: ${instruction.name} ${instruction.rest.replace(/\s+/g, " ").slice(0, 90)}`);
      await follow(instruction, image, { shell, sources });
    }
    built.set(name, image);
    return image;
  };
  let last: Image | undefined;
  for (const stage of await readStages()) last = await build(stage);
  if (!last) throw new Error("the Dockerfile has no stage");
  return last;
};
