import { connect } from "node:net";

/** A connection by hand, for what no HTTP client would do. */
export type Line = {
  send(text: string | Uint8Array): void;
  /** Everything that came so far. */
  heard(): string;
  /** Resolves when so much came as fits. Rejects after `ms`, or when the server hangs up before. */
  until(wanted: RegExp, ms?: number): Promise<string>;
  /** Resolves when the server has hung up. Rejects after `ms`. */
  hungUp(ms: number): Promise<void>;
  /** The same, or when it was answered that something was wrong with the request. */
  refused(ms: number): Promise<void>;
  /** Takes nothing more from the network, for so long. */
  deafen(ms: number): void;
  close(): void;
};

const PATIENCE_MS = 10_000;

/** Opens it to a base URL. A reset is a way to hang up. */
export const openLine = (url: string): Line => {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = "";
  let gone = false;
  const watchers = new Set<() => void>();
  const look = () => {
    for (const watcher of watchers) watcher();
  };
  socket.on("error", () => {});
  socket.setEncoding("latin1").on("data", (part) => {
    text += part;
    look();
  });
  socket.on("close", () => {
    gone = true;
    look();
  });
  const when = <T>(ms: number, what: string, check: () => T | null): Promise<T> =>
    new Promise((resolve, reject) => {
      const settle = (finish: () => void) => {
        clearTimeout(timer);
        watchers.delete(watch);
        finish();
      };
      const timer = setTimeout(() => settle(() => reject(new Error(`${what} in ${ms} ms; heard: ${text}`))), ms);
      const watch = () => {
        try {
          const found = check();
          if (found !== null) settle(() => resolve(found));
        } catch (error) {
          settle(() => reject(error));
        }
      };
      watchers.add(watch);
      watch();
    });
  return {
    send: (bytes) => void socket.write(bytes),
    heard: () => text,
    until: (wanted, ms = PATIENCE_MS) =>
      when(ms, `${wanted} did not come`, () => {
        const found = wanted.exec(text)?.[0] ?? null;
        if (found === null && gone) throw new Error(`it hung up before ${wanted}: ${text}`);
        return found;
      }),
    hungUp: async (ms) => void (await when(ms, "it did not hang up", () => gone || null)),
    refused: async (ms) => void (await when(ms, "it did not refuse", () => gone || /^HTTP\/1\.1 4/.test(text) || null)),
    deafen: (ms) => {
      socket.pause();
      setTimeout(() => socket.resume(), ms);
    },
    close: () => void socket.destroy(),
  };
};

/** A request's head, without a body. */
export const head = (method: string, path: string, headers: Record<string, string | number> = {}): string => {
  const lines = Object.entries({ Host: "localhost", ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
};
