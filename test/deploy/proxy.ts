import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { until } from "../streams/until.ts";
import { getProgram, librariesOf } from "../support/debian-package.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { launchEngine } from "../support/engine.ts";
import { freePort } from "../support/port.ts";
import { configOf, readCompose, serviceOf } from "./compose.ts";
import { startNameServer } from "./name-server.ts";

const PACKAGE = {
  name: "haproxy",
  program: "usr/sbin/haproxy",
  libraries: ["liblua5.3-0", "libopentracing-c-wrapper0", "libopentracing1"],
};
const NODES = ["darkroom-1", "darkroom-2"] as const;
const HEALTH = "127.0.0.1:8081";

/** HAProxy, configured as in docker-compose.yml, in front of processes on this machine. */
export type TestProxy = {
  /** Base URL without a trailing slash. */
  url: string;
  /** What it has said: one line for each request, and what became of the nodes. */
  log: readonly string[];
  /** The addresses of the nodes, by their names. */
  addresses: Map<string, string>;
  [Symbol.asyncDispose](): Promise<void>;
};

/** The text with every `from` replaced; there must be some. */
const swap = (text: string, [from, to]: readonly [from: string, to: string]): string => {
  if (!text.includes(from)) throw new Error(`the proxy's configuration does not have \`${from}\``);
  return text.replaceAll(from, to);
};

/**
 * Starts it on `port`, in front of nodes on 127.0.0.1, and waits for its own health check. Only ports differ from the
 * container, Docker's name server is one of ours, and the log goes to stderr.
 */
export const startProxy = async (nodes: readonly [port1: number, port2: number], port: number): Promise<TestProxy> => {
  await using opened = new AsyncDisposableStack();
  const names = await startNameServer(Object.fromEntries(NODES.map((name) => [name, "127.0.0.1"])));
  opened.defer(() => names.close());
  const directory = await temporaryDirectory();
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  const health = `127.0.0.1:${await freePort()}`;
  const compose = await readCompose();
  const changes = [
    ...NODES.map((name, index) => [` ${name}:8080`, ` ${name}:${nodes[index]}`] as const),
    ["bind :8080", `bind 127.0.0.1:${port}`],
    [`bind ${HEALTH}`, `bind ${health}`],
    ["127.0.0.11:53", `127.0.0.1:${names.port}`],
    ["log stdout", "log stderr"],
  ] as const;
  const file = join(directory, "haproxy.cfg");
  await writeFile(file, changes.reduce(swap, configOf(compose, "proxy")));
  const program = await getProgram(PACKAGE, "these tests");
  const log: string[] = [];
  const command = [`LD_LIBRARY_PATH=${await librariesOf(PACKAGE)}`, program, "-db", "-f", file];
  const server = await launchEngine("env", command, (line) => log.push(line));
  opened.defer(async () => {
    server.signal("SIGTERM");
    await server.ended;
  });
  const asked = (serviceOf(compose, "proxy").healthcheck?.test?.at(-1) ?? "").replace(HEALTH, health);
  const answers = () =>
    fetch(asked).then(
      ({ ok }) => ok,
      () => false,
    );
  await Promise.race([
    until(answers),
    server.ended.then((how) => {
      throw new Error(`HAProxy ended with ${how}:\n${log.join("\n")}`);
    }),
  ]);
  const closing = opened.move();
  return {
    url: `http://127.0.0.1:${port}`,
    log,
    addresses: names.addresses,
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
};
