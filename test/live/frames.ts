import assert from "node:assert/strict";
import { FormatRegistry } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { SERVER_FRAMES, type ServerFrame } from "../../src/streams/words.ts";
import { openSocket } from "../support/socket.ts";

type Of<T extends ServerFrame["type"]> = Extract<ServerFrame, { type: T }>;

/** A client of `/ws`. Every frame that it gets is held to its schema. */
export type LiveSocket = {
  frames(): ServerFrame[];
  /** The cursors of a subscription's events, in order. */
  cursors(id: string): number[];
  /** Types of the frames that came for a subscription, and of those for none. */
  types(id?: string): string[];
  next<T extends ServerFrame["type"]>(type: T, wanted?: (frame: Of<T>) => boolean): Promise<Of<T>>;
  send(frame: unknown): void;
  closed: Promise<number>;
  close(): void;
};

// Elysia knows it; where the server is another process, nobody does.
if (!FormatRegistry.Has("date-time")) FormatRegistry.Set("date-time", (text) => !Number.isNaN(Date.parse(text)));

const read = (frame: unknown): ServerFrame => {
  const { type } = frame as ServerFrame;
  const [error] = Value.Errors(SERVER_FRAMES[type], frame);
  assert.equal(error, undefined, JSON.stringify(frame));
  return frame as ServerFrame;
};
const idOf = (frame: ServerFrame): string | undefined => ("id" in frame ? frame.id : undefined);

/** `url`: with a query that says who comes. `take` is told of each frame. */
export const openLive = async (url: string, take: (frame: ServerFrame) => void = () => {}): Promise<LiveSocket> => {
  const socket = await openSocket(url, (frame) => take(read(frame)));
  const frames = () => socket.seen.map(read);
  return {
    frames,
    cursors: (id) =>
      frames().flatMap((frame) =>
        frame.type === "event" && frame.id === id && frame.cursor !== undefined ? [frame.cursor] : [],
      ),
    types: (id) =>
      frames()
        .filter((frame) => idOf(frame) === id && !(frame.type === "event" && frame.cursor === undefined))
        .map(({ type }) => type),
    next: async <T extends ServerFrame["type"]>(type: T, wanted: (frame: Of<T>) => boolean = () => true) =>
      (await socket.until((frame) => read(frame).type === type && wanted(frame as Of<T>))) as Of<T>,
    send: socket.send,
    closed: socket.closed,
    close: socket.close,
  };
};
