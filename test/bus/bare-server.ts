import { type AddressInfo, createServer, type Socket } from "node:net";

/** Speaks just enough of NATS to be connected to, and answers every request as nobody: a server without JetStream. */
export const startBareServer = async () => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    socket.write('INFO {"server_id":"bare","version":"2.9.10","headers":true,"max_payload":1048576}\r\n');
    let inbox = { subject: "", sid: "" };
    let text = "";
    socket.on("data", (chunk) => {
      text += String(chunk);
      const lines = text.split("\r\n");
      text = lines.pop() ?? "";
      for (const line of lines) {
        const [verb = "", subject = "", second = ""] = line.split(" ");
        if (verb === "PING") socket.write("PONG\r\n");
        if (verb === "SUB") inbox = { subject, sid: second };
        if (verb === "PUB") socket.write(`HMSG ${second} ${inbox.sid} 16 16\r\nNATS/1.0 503\r\n\r\n\r\n`);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `nats://127.0.0.1:${(server.address() as AddressInfo).port}`,
    clients: () => sockets.size,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
};
