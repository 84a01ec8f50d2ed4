import { request } from "node:http";

/** A WebSocket as a client sees it: frames parsed, in order. */
export type Socket = {
  seen: readonly unknown[];
  /** Resolves with the close code when the server ends it. */
  closed: Promise<number>;
  /** Reads on until a frame fits. */
  until(wanted: (frame: unknown) => boolean, ms?: number): Promise<unknown>;
  /** Says something: a text as it is, anything else as JSON. */
  send(frame: unknown): void;
  close(): void;
};

const PATIENCE_MS = 15_000;

/** Connects; rejects when the upgrade is refused. `url` is an http one; `take` is told of each frame. */
export const openSocket = async (url: string, take: (frame: unknown) => void = () => {}): Promise<Socket> => {
  const socket = new WebSocket(url.replace(/^http/, "ws"));
  const seen: unknown[] = [];
  let look = () => {};
  socket.addEventListener("message", ({ data }) => {
    const frame = JSON.parse(String(data));
    seen.push(frame);
    take(frame);
    look();
  });
  const closed = new Promise<number>((resolve) => {
    socket.addEventListener("close", ({ code }) => {
      resolve(code);
      look();
    });
  });
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener("open", () => resolve(), { once: true });
    socket.addEventListener("error", () => reject(new Error("the upgrade was refused")), { once: true });
  });
  return {
    seen,
    closed,
    until: (wanted, ms = PATIENCE_MS) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no such frame in ${ms} ms`)), ms);
        let next = 0;
        look = () => {
          while (next < seen.length) {
            const frame = seen[next++];
            if (!wanted(frame)) continue;
            clearTimeout(timer);
            return resolve(frame);
          }
        };
        look();
      }),
    send: (frame) => socket.send(typeof frame === "string" ? frame : JSON.stringify(frame)),
    close: () => socket.close(),
  };
};

/** Asks for an upgrade by hand. Resolves to the status: 101, or why not. */
export const upgradeStatus = (url: string, headers: Record<string, string> = {}): Promise<number> =>
  new Promise((resolve, reject) => {
    const asked = request(url, {
      headers: {
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "ZGFya3Jvb20tdGVzdC1rZQ==",
        ...headers,
      },
    });
    asked.setTimeout(PATIENCE_MS, () => asked.destroy(new Error("no answer to the upgrade")));
    asked.on("response", (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.on("upgrade", (_, socket) => {
      socket.destroy();
      resolve(101);
    });
    asked.on("error", reject);
    asked.end();
  });
