/**
 * The seam between a WebSocket in some runtime and the code that speaks on it. The runtime's listener
 * implements `SocketClient` and drives the `SocketSession` that `app.socket(request)` returned.
 */

/** One connected client, as the session sees it. */
export interface SocketClient {
  /**
   * Sends one text frame. Returns the bytes taken, -1 when the frame was queued under backpressure
   * (wait for `drain` before sending more), 0 when it was dropped because the socket is gone.
   */
  send(text: string): number;
  /** Starts the closing handshake. `code` 1000 or 3000-4999; `reason` at most 123 bytes of UTF-8. */
  close(code: number, reason: string): void;
  /** Bytes handed to `send` that have not reached the network yet. */
  buffered(): number;
  /** Sends a ping frame where the runtime can; elsewhere the runtime keeps the connection alive by itself. */
  ping(): void;
}

/** What the application does with one client. Called in this order: `open`, then `message` and `drain`, then `close`. */
export interface SocketSession {
  open(client: SocketClient): void;
  message(text: string): void;
  /** The backlog reported by `send` returning -1 is gone. */
  drain(): void;
  /** The connection ended, for whatever reason. Called exactly once. */
  close(): void;
}

/** The application as a listener needs it. */
export interface Served {
  /** Answers one request. Never rejects on purpose; a rejection becomes a bare 500. */
  fetch(request: Request, peer: { address: string }): Promise<Response>;
  /** Decides on a WebSocket upgrade: a `Response` refuses it, a session accepts it. */
  socket(request: Request): Promise<Response | SocketSession>;
}

/** What a listener is told. `port` 0 picks a free one; `maxBody` is the largest request body in bytes. */
export type ListenOptions = { host: string; port: number; maxBody: number };

/**
 * A bound listener. `stop` takes no new connection, closes idle ones, waits 3 s for requests in flight, and frees the
 * port; the same for every call.
 */
export type Listening = { port: number; stop(): Promise<void> };
