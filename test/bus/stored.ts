import { connect, type MsgHdrs } from "nats";
import { decodeFact } from "../../src/bus/message.ts";
import { STREAM } from "../../src/bus/subjects.ts";
import type { Fact } from "../../src/ports.ts";

export type Stored = { fact: Fact; messageId: string; headers: MsgHdrs; subject: string; data: Uint8Array };

const PATIENCE_MS = 5_000;

/**
 * What JetStream holds on some subjects, in its order. Reads by an ordered consumer; on nats-server 2.9
 * its filter must be one string, and the policy for "all" must be left out.
 */
export const readStored = async (url: string, filterSubjects = "darkroom.>"): Promise<Stored[]> => {
  const connection = await connect({ servers: url });
  try {
    const consumer = await connection.jetstream().consumers.get(STREAM, { filterSubjects });
    const { num_pending } = await consumer.info();
    const stored: Stored[] = [];
    if (num_pending === 0) return stored;
    const messages = await consumer.consume();
    const late = setTimeout(() => messages.stop(), PATIENCE_MS);
    for await (const { subject, headers, data, info } of messages) {
      const fact = decodeFact(subject, headers, data);
      if (!fact || !headers) throw new Error(`no fact on ${subject}`);
      stored.push({ fact, messageId: headers.get("Nats-Msg-Id"), headers, subject, data });
      if (info.pending === 0) break;
    }
    clearTimeout(late);
    return stored;
  } finally {
    await connection.close();
  }
};
