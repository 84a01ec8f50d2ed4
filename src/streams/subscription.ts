/**
 * One stream among those of a socket:
 *
 *   opening ──▶ live ⇄ waiting for acknowledgements ──▶ over
 *
 * While it waits it follows nothing and keeps nothing: it goes on in the log, from the last event that it sent.
 */
import { Subscription as Following } from "rxjs";
import type { Message, Messages } from "./messages.ts";
import type { Source } from "./source.ts";
import type { ServerFrame, Subscribe } from "./words.ts";

/** `json`: the data of an event, which was serialised once for all who follow. */
const written = (frame: object, json: string): string => `${JSON.stringify(frame).slice(0, -1)},"data":${json}}`;

export const createSubscription = (deps: {
  asked: Subscribe;
  open(): Promise<Source>;
  messages: Messages;
  pace(): Promise<void>;
  /** Takes a whole frame. */
  send(json: string): void;
  /** It has ended, or failed with this. Called once, unless it was closed before. */
  onEnd(error?: unknown): void;
}) => {
  const { asked, send } = deps;
  const { id } = asked;
  const most = asked.ack ?? Number.POSITIVE_INFINITY;
  let following = new Following();
  let source: Source | null = null;
  let cursor = asked.after;
  let unacknowledged: number[] = [];
  let waiting = false;
  let closed = false;

  const end = (error?: unknown) => {
    if (closed) return;
    closed = true;
    following.unsubscribe();
    deps.onEnd(error);
  };
  const sent = (place: number) => {
    cursor = place;
    if (asked.ack === undefined) return;
    unacknowledged.push(place);
    waiting = unacknowledged.length >= most;
    if (waiting) following.unsubscribe();
  };
  const take = ({ id: place, event, json }: Message) => {
    if (closed || waiting) return;
    if (event === "reset") send(`${JSON.stringify({ type: "reset", id }).slice(0, -1)},${json.slice(1)}`);
    else send(written({ type: "event", id, ...(place === undefined ? {} : { cursor: place }), event }, json));
    if (place !== undefined) sent(place);
  };
  const follow = (from: Source, after: number) => {
    following = new Following();
    const messages = deps.messages({ ...from, cursor: after, greet: false, pace: deps.pace });
    following.add(messages.subscribe({ next: take, error: end, complete: () => waiting || end() }));
  };
  /** Follows from a cursor on, unless there is nothing to come. */
  const goOn = async (from: Source, after: number) => {
    if (await from.over(after)) end();
    else if (!closed) follow(from, after);
  };
  const greet = async (from: Source) => {
    const { cursor: place, data, done = false } = await from.snapshot();
    if (closed) return;
    send(JSON.stringify({ type: "subscribed", id, cursor: place } satisfies ServerFrame));
    send(JSON.stringify({ type: "snapshot", id, cursor: place, data } satisfies ServerFrame));
    sent(place);
    if (done) end();
    else if (!waiting) follow(from, place);
  };
  const start = async () => {
    source = await deps.open();
    if (closed) return;
    if (asked.after === undefined) return greet(source);
    send(JSON.stringify({ type: "subscribed", id, cursor: asked.after } satisfies ServerFrame));
    return goOn(source, asked.after);
  };

  return {
    /** Resolves when it is live, or over. */
    start: (): Promise<void> => (closed ? Promise.resolve() : start().catch(end)),
    /** The client has taken everything up to this cursor. */
    acknowledge: (upTo: number) => {
      unacknowledged = unacknowledged.filter((place) => place > upTo);
      if (!waiting || unacknowledged.length >= most || source === null || cursor === undefined) return;
      waiting = false;
      goOn(source, cursor).catch(end);
    },
    /** Of the last that was sent; absent: it has not begun. */
    cursor: () => cursor,
    close: () => {
      closed = true;
      following.unsubscribe();
    },
  };
};
export type Subscription = ReturnType<typeof createSubscription>;
