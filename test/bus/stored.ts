import { connect, type MsgHdrs } from "nats";
import { decodeFact } from "../../src/bus/message.ts";
import { STREAM } from "../../src/bus/subjects.ts";
import type { Fact } from "../../src/ports.ts";

export type Stored = { fact: Fact; messageId: string; headers: MsgHdrs; subject: string };

const PATIENCE_MS = 30_000;

/**
 * What JetStream holds on some subjects, in its order. Reads by an ordered consumer; on nats-server 2.9
 * its filter must be one string, and the policy for "all" must be left out.
 */
export const readStored = async (url: string, filterSubjects = "darkroom.>"): Promise<Stored[]> => {
  const connection = await connect({ servers: url.split(",") });
  try {
    // Counted by the stream's leader: a consumer beside a server that has just come back may know of none yet.
    const manager = await connection.jetstreamManager();
    const { state } = await manager.streams.info(STREAM, { subjects_filter: filterSubjects });
    const count = Object.values(state.subjects ?? {}).reduce((sum, messages) => sum + messages, 0);
    const stored: Stored[] = [];
    if (count === 0) return stored;
    const consumer = await connection.jetstream().consumers.get(STREAM, { filterSubjects });
    const messages = await consumer.consume();
    const late = setTimeout(() => messages.stop(), PATIENCE_MS);
    for await (const { subject, headers, data } of messages) {
      const fact = decodeFact(subject, headers, data);
      if (!fact || !headers) throw new Error(`no fact on ${subject}`);
      stored.push({ fact, messageId: headers.get("Nats-Msg-Id"), headers, subject });
      if (stored.length === count) break;
    }
    clearTimeout(late);
    return stored;
  } finally {
    await connection.close();
  }
};
