import process from "node:process";
import { Problem } from "../../src/errors.ts";
import { listen } from "../../src/runtime/select.ts";
import type { Served, SocketSession } from "../../src/streams/session.ts";

/** A listener with a tiny app behind it: `echo.ts PORT`. Prints its port, or the sentence it fails with. */
const encoder = new TextEncoder();

const ticks = () => {
  let timer: ReturnType<typeof setInterval>;
  return new ReadableStream<Uint8Array>({
    start: (controller) => {
      controller.enqueue(encoder.encode(": open\n\n"));
      timer = setInterval(() => controller.enqueue(encoder.encode("data: tick\n\n")), 20);
    },
    cancel: () => {
      clearInterval(timer);
      console.log("left");
    },
  });
};

const session = (): SocketSession => {
  let say: (text: string) => void = () => {};
  return {
    open: (client) => {
      say = (text) => {
        if (text === "bye") client.close(4000, "as you wish");
        else client.send(`${text}!`);
      };
      client.ping();
      client.send(`hello ${client.buffered()}`);
    },
    message: (text) => say(text),
    drain: () => {},
    close: () => console.log("closed"),
  };
};

const app: Served = {
  fetch: async (request, peer) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/ticks") return new Response(ticks(), { headers: { "content-type": "text/event-stream" } });
    if (pathname === "/unread") return new Response("no", { status: 403 });
    if (pathname === "/peer") return new Response(peer.address);
    return request.text().then(
      (text) => new Response(String(text.length)),
      (error) => new Response(error instanceof Problem ? error.code : "other", { status: 413 }),
    );
  },
  socket: async (request) =>
    new URL(request.url).searchParams.has("token") ? session() : new Response("no token", { status: 401 }),
};

try {
  const port = Number(process.argv[2]);
  const listening = await listen({ host: "127.0.0.1", port, maxBody: 1000 }, app);
  console.log(listening.port);
  process.once("SIGTERM", async () => {
    await listening.stop();
    console.log("stopped");
    process.exit(0);
  });
} catch (error) {
  console.log((error as Error).message);
}
