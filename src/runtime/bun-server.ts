import type { SocketSession } from "../streams/session.ts";

/** The part of Bun that is used here; its whole types do not go together with Deno's. */
export type BunSocket = {
  data: BunData;
  sendText(text: string): number;
  close(code: number, reason: string): void;
  getBufferedAmount(): number;
  ping(): number;
};

type BunData = { session: SocketSession };

export type BunServer = {
  port?: number;
  upgrade(request: Request, options: { data: BunData }): boolean;
  timeout(request: Request, seconds: number): void;
  requestIP(request: Request): { address: string } | null;
  stop(closeActive?: boolean): Promise<void>;
};

type BunNamespace = {
  serve(options: {
    hostname: string;
    port: number;
    reusePort: boolean;
    idleTimeout: number;
    maxRequestBodySize: number;
    development: boolean;
    fetch(request: Request, server: BunServer): Promise<Response | undefined>;
    error(): Response;
    websocket: {
      maxPayloadLength: number;
      backpressureLimit: number;
      idleTimeout: number;
      open(socket: BunSocket): void;
      message(socket: BunSocket, message: string | Uint8Array): void;
      drain(socket: BunSocket): void;
      close(socket: BunSocket): void;
      error(error: Error, socket: BunSocket): void;
    };
  }): BunServer;
};

export const bun = () => (globalThis as unknown as { Bun: BunNamespace }).Bun;
