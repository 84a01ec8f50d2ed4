import { connect, type JetStreamClient, type MsgHdrs } from "nats";
import { decodeFact } from "../../src/bus/message.ts";
import { STREAM } from "../../src/bus/subjects.ts";
import type { Fact } from "../../src/ports.ts";

export type Stored = { fact: Fact; messageId: string; headers: MsgHdrs; subject: string; data: Uint8Array };

const PATIENCE_MS = 5_000;
const TRIES = 6;

const storedOf = (subject: string, headers: MsgHdrs | undefined, data: Uint8Array): Stored => {
  const fact = decodeFact(subject, headers, data);
  if (!fact || !headers) throw new Error(`no fact on ${subject}`);
  return { fact, messageId: headers.get("Nats-Msg-Id"), headers, subject, data };
};

/**
 * Reads by an ordered consumer; on nats-server 2.9 its filter must be one string, and the policy for "all" must be left
 * out.
 */
const read = async (jetstream: JetStreamClient, filterSubjects: string, count: number): Promise<Stored[]> => {
  const stored: Stored[] = [];
  const consumer = await jetstream.consumers.get(STREAM, { filterSubjects });
  const messages = await consumer.consume();
  const late = setTimeout(() => messages.stop(), PATIENCE_MS);
  for await (const { subject, headers, data } of messages) {
    stored.push(storedOf(subject, headers, data));
    if (stored.length === count) break;
  }
  clearTimeout(late);
  return stored;
};

/** What JetStream holds on some subjects, in its order: as many as the stream's leader counts. */
export const readStored = async (url: string, filterSubjects = "darkroom.>"): Promise<Stored[]> => {
  const connection = await connect({ servers: url.split(",") });
  try {
    const manager = await connection.jetstreamManager();
    const { state } = await manager.streams.info(STREAM, { subjects_filter: filterSubjects });
    const count = Object.values(state.subjects ?? {}).reduce((sum, messages) => sum + messages, 0);
    let stored: Stored[] = [];
    // A consumer on a server of a cluster that has just come back may stay without any (seen with 2.15).
    for (let tries = 0; stored.length < count && tries < TRIES; tries++) {
      stored = await read(connection.jetstream(), filterSubjects, count);
    }
    return stored;
  } finally {
    await connection.close();
  }
};

const AT_ONCE = 50;

/**
 * Everything that JetStream holds, asked for one by one. For a cluster: a consumer of 2.9 may live on the server that
 * was just killed.
 */
export const readEach = async (url: string): Promise<Stored[]> => {
  const connection = await connect({ servers: url.split(",") });
  try {
    const { streams } = await connection.jetstreamManager({ timeout: PATIENCE_MS });
    const { first_seq, last_seq } = (await streams.info(STREAM)).state;
    const stored: Stored[] = [];
    for (let from = first_seq; from <= last_seq; from += AT_ONCE) {
      const seqs = Array.from({ length: Math.min(AT_ONCE, last_seq - from + 1) }, (_, n) => from + n);
      const messages = await Promise.all(seqs.map((seq) => streams.getMessage(STREAM, { seq })));
      stored.push(...messages.map((message) => storedOf(message.subject, message.header, message.data)));
    }
    return stored;
  } finally {
    await connection.close();
  }
};
