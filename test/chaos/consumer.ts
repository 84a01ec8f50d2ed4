/** A program of somebody else's that reads every fact from JetStream, comes back where it was, and writes down all it gets. */
import { setTimeout as wait } from "node:timers/promises";
import { connect, type ConsumerMessages, DeliverPolicy } from "nats";
import { decodeFact } from "../../src/bus/message.ts";
import { ALL_SUBJECTS, STREAM } from "../../src/bus/subjects.ts";

/** One message: a fact's place, and the place that JetStream gave it. `life`: which of its storages that was. */
export type Heard = { life: string; place: number; stream: string; seq: number; id: string };

const AGAIN_MS = 200;
const LOOK_MS = 500;
const TIMEOUT_MS = 2_000;

export const startConsumer = (url: string) => {
  const heard: Heard[] = [];
  let closed = false;
  let life = "";
  let next = 1;

  const read = async (): Promise<void> => {
    const connection = await connect({ servers: url, reconnect: false, timeout: TIMEOUT_MS });
    let watching: ReturnType<typeof setInterval> | undefined;
    try {
      const manager = await connection.jetstreamManager({ timeout: TIMEOUT_MS });
      const { created } = (await manager.streams.info(STREAM)) as { created: string };
      if (created !== life) next = 1;
      life = created;
      const from = next > 1 ? { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: next } : {};
      const consumer = await connection.jetstream().consumers.get(STREAM, { filterSubjects: ALL_SUBJECTS, ...from });
      const messages: ConsumerMessages = await consumer.consume();
      // An ordered consumer does not notice by itself that its connection is closed, nor that its stream has gone and
      // another has its name.
      void connection.closed().then(() => messages.stop());
      const look = async () => {
        const now = await manager.streams.info(STREAM).catch(() => null);
        if (closed || (now as { created?: string } | null)?.created !== life) messages.stop();
      };
      watching = setInterval(() => void look(), LOOK_MS);
      for await (const { subject, headers, data, seq: place } of messages) {
        next = place + 1;
        const fact = decodeFact(subject, headers, data);
        if (fact) heard.push({ life, place, stream: fact.stream, seq: fact.seq, id: fact.id });
      }
    } finally {
      clearInterval(watching);
      await connection.close();
    }
  };
  const run = (async () => {
    while (!closed) {
      await read().catch(() => {});
      if (!closed) await wait(AGAIN_MS);
    }
  })();

  return {
    heard: heard as readonly Heard[],
    close: async () => {
      closed = true;
      await run;
    },
  };
};
