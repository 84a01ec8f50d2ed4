import { connect, type JetStreamClient, type MsgHdrs } from "nats";
import { decodeFact } from "../../src/bus/message.ts";
import { STREAM } from "../../src/bus/subjects.ts";
import type { Fact } from "../../src/ports.ts";

export type Stored = { fact: Fact; messageId: string; headers: MsgHdrs; subject: string; data: Uint8Array };

const PATIENCE_MS = 5_000;
const TRIES = 6;

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
    const fact = decodeFact(subject, headers, data);
    if (!fact || !headers) throw new Error(`no fact on ${subject}`);
    stored.push({ fact, messageId: headers.get("Nats-Msg-Id"), headers, subject, data });
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
