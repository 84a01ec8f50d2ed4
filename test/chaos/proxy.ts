/** A way to a service that can be made slow, cut, emptied or shut while the service itself goes on. */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

/** Where a service listens: a port of this machine, or the path of a unix socket. */
export type Address = { port: number } | { path: string };
/** As seen by whoever connects: `up` is to the service, `down` is back. */
export type Direction = "up" | "down";

export type Way = {
  port: number;
  /** How often someone connected so far, let in or not. */
  connections(): number;
  /** Whatever passes from now on comes so much later, in each direction. */
  slow(ms: number): void;
  /** Breaks all connections, as a firewall does that has forgotten them. New ones are let in. */
  reset(): void;
  /** Takes connections and bytes and passes nothing on, nor that an end has gone, until `heal`. Default: either way. */
  swallow(direction?: Direction): void;
  /** Passes nothing more on all connections that there are, nor that one has ended, for good; new ones are let in. */
  forget(): void;
  /** Breaks all connections, and each new one at once. */
  shut(): void;
  /** Ends every other fault. What was swallowed is on its way again. */
  heal(): void;
  close(): Promise<void>;
};

const drained = (socket: Socket) =>
  new Promise<void>((resolve) => {
    const done = () => {
      socket.off("drain", done).off("close", done);
      resolve();
    };
    socket.on("drain", done).on("close", done);
  });

const reach = (address: Address): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = "port" in address ? connect(address.port, "127.0.0.1") : connect(address.path);
    socket.once("connect", () => resolve(socket)).once("error", reject);
  });

/** The next in turn that answers; of several, those that refuse are passed over. */
const reachAny = async (targets: readonly Address[], turn: number): Promise<Socket | null> => {
  for (let n = 0; n < targets.length; n++) {
    const found = await reach(targets[(turn + n) % targets.length] as Address).catch(() => null);
    if (found) return found;
  }
  return null;
};

/** Opens the way, on a port of 127.0.0.1. With several targets it is a load balancer that takes them in turn. */
export const openWay = async (...targets: readonly Address[]): Promise<Way> => {
  const sockets = new Set<Socket>();
  let closed = false;
  let connections = 0;
  let delayMs = 0;
  let isShut = false;
  const swallowed = new Set<Direction>();
  const ended = Promise.withResolvers<void>();
  /** Connections up to this one are forgotten. */
  let forgotten = 0;
  let healed = Promise.withResolvers<void>();

  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => socket.destroy());
  };
  const passable = async (direction: Direction, nth: number) => {
    while (swallowed.has(direction) && !closed) await healed.promise;
    if (nth <= forgotten) await ended.promise;
    if (delayMs > 0) await wait(delayMs);
  };
  /** Carries one direction, and that it has ended. */
  const carry = async (from: Socket, to: Socket, direction: Direction, nth: number) => {
    try {
      for await (const chunk of from) {
        await passable(direction, nth);
        if (!to.write(chunk)) await drained(to);
      }
      await passable(direction, nth);
      to.end();
    } catch {
      await passable(direction, nth);
      to.destroy();
    }
  };
  const take = async (near: Socket) => {
    const nth = ++connections;
    if (isShut) return void near.resetAndDestroy();
    keep(near);
    await passable("up", nth);
    const far = await reachAny(targets, nth);
    if (!far) return void near.resetAndDestroy();
    keep(far);
    if (near.destroyed || closed) return void far.destroy();
    await Promise.all([carry(near, far, "up", nth), carry(far, near, "down", nth)]);
  };
  const server = createServer({ noDelay: true }, (near) => void take(near));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  const reset = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const heal = () => {
    swallowed.clear();
    delayMs = 0;
    isShut = false;
    healed.resolve();
    healed = Promise.withResolvers();
  };
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    slow: (ms) => {
      delayMs = ms;
    },
    reset,
    swallow: (direction) => {
      for (const each of direction ? [direction] : (["up", "down"] as const)) swallowed.add(each);
    },
    forget: () => {
      forgotten = connections;
    },
    shut: () => {
      isShut = true;
      reset();
    },
    heal,
    close: async () => {
      closed = true;
      ended.resolve();
      heal();
      const stopped = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await stopped;
    },
  };
};
