import { connect, type NetConnectOpts } from "node:net";
import process from "node:process";

const PATIENCE_MS = 2000;

/** Where the engine listens; undefined for what only a Docker client can reach, such as `ssh://`. */
const addressOf = (host: string): NetConnectOpts | undefined => {
  if (host.startsWith("unix://")) return { path: host.slice("unix://".length) };
  if (!host.startsWith("tcp://") || process.env.DOCKER_TLS_VERIFY) return undefined;
  const { hostname, port } = new URL(host);
  return { host: hostname, port: Number(port || 2375) };
};

/** Whether a container engine says that it is there; costs less than a millisecond when none does. */
export const engineAnswers = (): Promise<boolean> => {
  const address = addressOf(process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock");
  if (!address) return Promise.resolve(true);
  return new Promise((resolve) => {
    const socket = connect(address);
    let answer = "";
    socket.setTimeout(PATIENCE_MS, () => socket.destroy());
    socket.once("connect", () => socket.write("GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n"));
    socket.on("data", (bytes) => {
      answer += bytes;
      if (answer.includes("\n")) socket.destroy();
    });
    socket.once("error", () => resolve(false));
    socket.once("close", () => resolve(/^HTTP\/1\.\d 200 /.test(answer)));
  });
};
