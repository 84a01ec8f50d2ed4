import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A way to the app that breaks the connection which carries the byte that a cut stands at. */
export type Way = {
  url: string;
  /** Where the app listens; before anybody connects. */
  to(port: number): void;
  /** Bytes towards the app so far. */
  carried(): number;
  /** Breaks once when so many more bytes have been carried, for each number. */
  cutAfter(...bytes: number[]): void;
  cuts(): number;
  /** Breaks after so many more bytes, and lets nobody in until `heal`. */
  shutAfter(bytes: number): void;
  heal(): void;
  close(): Promise<void>;
};

export const openWay = async (): Promise<Way> => {
  const sockets = new Set<Socket>();
  let [port, carried, cuts] = [0, 0, 0];
  let planned: number[] = [];
  let shutAt = Number.POSITIVE_INFINITY;
  const server = createServer((client) => {
    if (carried >= shutAt) {
      client.on("error", () => client.destroy()).destroy();
      return;
    }
    const app = connect(port, "127.0.0.1");
    for (const socket of [client, app]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
    }
    const end = () => {
      for (const socket of [client, app]) {
        socket.destroy();
        sockets.delete(socket);
      }
    };
    client.on("close", end);
    app.on("close", end);
    client.on("data", (chunk) => {
      carried += chunk.length;
      if (carried >= shutAt) for (const socket of sockets) socket.destroy();
      else if (carried >= (planned[0] ?? Number.POSITIVE_INFINITY)) {
        planned.shift();
        cuts += 1;
        end();
      } else if (!app.write(chunk)) {
        client.pause();
        app.once("drain", () => client.resume());
      }
    });
    app.pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    to: (where) => {
      port = where;
    },
    carried: () => carried,
    cutAfter: (...bytes) => {
      planned = bytes.map((more) => carried + more);
    },
    cuts: () => cuts,
    shutAfter: (bytes) => {
      shutAt = carried + bytes;
    },
    heal: () => {
      shutAt = Number.POSITIVE_INFINITY;
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
};
