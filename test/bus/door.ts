import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A way to a server that can be shut for one node while others still get through. */
export const openDoor = async (url: string) => {
  const target = Number(new URL(url).port);
  const sockets = new Set<Socket>();
  let shut = false;
  let knocks = 0;
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
  };
  const server = createServer((near) => {
    knocks++;
    if (shut) return void near.destroy();
    const far = connect(target, "127.0.0.1");
    keep(near);
    keep(far);
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
    near.pipe(far);
    far.pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cut = () => {
    shut = true;
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `nats://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** How often someone tried to connect. */
    knocks: () => knocks,
    cut,
    mend: () => {
      shut = false;
    },
    close: () => {
      cut();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
};
