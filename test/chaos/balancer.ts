import { connect, createServer, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

const LOOK_MS = 50;

/** A load balancer of TCP connections over the nodes that are ready, in turn. */
export type Balancer = {
  url: string;
  /** Base URLs of the nodes, ready or not. */
  serve(urls: readonly string[]): void;
  [Symbol.asyncDispose](): Promise<void>;
};

const isReady = (url: string) =>
  fetch(`${url}/healthz`, { headers: { connection: "close" }, signal: AbortSignal.timeout(1000) }).then(
    ({ ok }) => ok,
    () => false,
  );

export const createBalancer = async (): Promise<Balancer> => {
  let nodes: readonly string[] = [];
  let ready: readonly string[] = [];
  let turn = 0;
  let closed = false;
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    return socket;
  };

  const looking = (async () => {
    while (!closed) {
      const answers = await Promise.all(nodes.map(async (url) => ((await isReady(url)) ? [url] : [])));
      ready = answers.flat();
      await wait(LOOK_MS);
    }
  })();

  /** A connection to a ready node; one that refuses is passed over. */
  const open = async (): Promise<Socket | null> => {
    for (const _ of ready) {
      const { hostname, port } = new URL(ready[turn++ % ready.length] ?? "");
      const socket = connect(Number(port), hostname);
      const taken = await new Promise<boolean>((resolve) => {
        socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
      });
      if (taken) return keep(socket);
    }
    return null;
  };

  const server = createServer({ pauseOnConnect: true }, async (near) => {
    keep(near);
    const far = await open();
    if (!far) {
      near.destroy();
      return;
    }
    near.pipe(far);
    far.pipe(near);
    near.once("close", () => far.destroy());
    far.once("close", () => near.destroySoon());
    near.resume();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`,
    serve: (urls) => {
      nodes = urls;
    },
    [Symbol.asyncDispose]: async () => {
      closed = true;
      await looking;
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
