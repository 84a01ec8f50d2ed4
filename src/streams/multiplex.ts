/**
 * Many streams on one socket: what the client asks for, one frame each, and what it is sent. Everything is bounded: the
 * subscriptions, a frame, how many of them come in a second; what goes out is bounded by the connection.
 */
import { Buffer } from "node:buffer";
import { Value } from "@sinclair/typebox/value";
import { Observable, Subject } from "rxjs";
import { type FieldError, Problem } from "../errors.ts";
import type { Clock } from "../ports.ts";
import { createBucket } from "./bucket.ts";
import type { Message, Messages } from "./messages.ts";
import type { Source } from "./source.ts";
import { createSubscription, type Subscription } from "./subscription.ts";
import { CLIENT_FRAMES, type ClientFrame, type ServerFrame, type Subscribe } from "./words.ts";

export const MOST_SUBSCRIPTIONS = 100;
export const MOST_FRAME_BYTES = 4_096;
/** At once, and then a second. */
export const FRAMES = { most: 200, perSecond: 50 };

type Fields = { type?: unknown; id?: unknown };

/** The fields of a text. Throws `too_large` or `malformed_json`. */
const parse = (text: string): Fields => {
  if (Buffer.byteLength(text) > MOST_FRAME_BYTES)
    throw new Problem("too_large", `The limit is ${MOST_FRAME_BYTES} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Problem("malformed_json");
  }
  return typeof value === "object" && value !== null ? value : {};
};

/** The frame that these are. Throws `validation_failed`. */
const check = (frame: Fields): ClientFrame => {
  const { type } = frame;
  if (typeof type !== "string" || !Object.hasOwn(CLIENT_FRAMES, type)) {
    const message = `Must be one of ${Object.keys(CLIENT_FRAMES).join(", ")}`;
    throw new Problem("validation_failed", "The frame is not valid", { errors: [{ path: "/type", message }] });
  }
  const schema = CLIENT_FRAMES[type as keyof typeof CLIENT_FRAMES];
  const errors: FieldError[] = [...Value.Errors(schema, frame)].map(({ path, message, schema: { error } }) => ({
    path,
    message: typeof error === "string" ? error : message,
  }));
  if (errors.length > 0) throw new Problem("validation_failed", "The frame is not valid", { errors });
  return frame as ClientFrame;
};

/** `open` throws `not_found` for what is not the watcher's; `problemOf` makes an error a document for clients. */
export const createMultiplex = (deps: {
  open(stream: string): Promise<Source>;
  messages: Messages;
  clock: Clock;
  problemOf(error: unknown): Record<string, unknown>;
}) => {
  const out = new Subject<Message>();
  const subscriptions = new Map<string, Subscription>();
  const mayCome = createBucket({ ...FRAMES, now: deps.clock.now });
  let pace = async () => {};
  let closed = false;
  let turn: Promise<void> = Promise.resolve();

  const write = (json: string) => out.next({ event: "frame", json });
  const send = (frame: ServerFrame) => write(JSON.stringify(frame));
  const refuse = (error: unknown, id: string | undefined) =>
    send({ type: "error", ...(id === undefined ? {} : { id }), problem: deps.problemOf(error) });
  const find = (id: string): Subscription => {
    const found = subscriptions.get(id);
    if (!found) throw new Problem("not_found", "There is no such subscription");
    return found;
  };

  const subscribe = (asked: Subscribe) => {
    const { id, stream } = asked;
    if (subscriptions.has(id)) throw new Problem("conflict", "There is a subscription with this id");
    if (subscriptions.size >= MOST_SUBSCRIPTIONS) throw new Problem("too_many_subscriptions");
    const subscription = createSubscription({
      asked,
      open: () => deps.open(stream),
      messages: deps.messages,
      pace: () => pace(),
      send: write,
      onEnd: (error) => {
        subscriptions.delete(id);
        if (error !== undefined) refuse(error, id);
        send({
          type: "unsubscribed",
          id,
          cursor: subscription.cursor(),
          reason: error === undefined ? "complete" : "failed",
        });
      },
    });
    subscriptions.set(id, subscription);
    // One after another: a client that comes back with a hundred of them is no burst of reads.
    turn = turn.then(subscription.start);
  };

  const obey = (frame: ClientFrame) => {
    switch (frame.type) {
      case "subscribe":
        return subscribe(frame);
      case "unsubscribe": {
        const found = find(frame.id);
        found.close();
        subscriptions.delete(frame.id);
        return send({ type: "unsubscribed", id: frame.id, cursor: found.cursor(), reason: "asked" });
      }
      case "ack":
        return find(frame.id).acknowledge(frame.cursor);
      case "ping":
        return send({ type: "pong" });
    }
  };

  const close = () => {
    closed = true;
    for (const subscription of subscriptions.values()) subscription.close();
    subscriptions.clear();
  };

  return {
    /** All that goes to the client. Who leaves ends all subscriptions. */
    messages: (paced: () => Promise<void>): Observable<Message> =>
      new Observable((client) => {
        pace = paced;
        client.add(close);
        client.add(out.subscribe(client));
      }),
    /** Takes a frame of the client. */
    hear: (text: string) => {
      if (closed) return;
      if (!mayCome()) {
        out.error(new Problem("too_many_requests"));
        return;
      }
      let fields: Fields = {};
      try {
        fields = parse(text);
        obey(check(fields));
      } catch (error) {
        refuse(error, typeof fields.id === "string" ? fields.id : undefined);
      }
    },
  };
};
