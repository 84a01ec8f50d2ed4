import { connect, type JetStreamClient, type NatsConnection, RetentionPolicy, StorageType } from "nats";
import type { Log } from "../log.ts";
import type { Bus, Fact } from "../ports.ts";
import { createLocalSubscriptions } from "./local.ts";
import { decodeFact, encodeFact, messageId } from "./message.ts";
import { ALL_SUBJECTS, STREAM, streamSubject, subjectOf } from "./subjects.ts";

const NANOS = 1_000_000;
const CONNECT_MS = 5_000;
const PUBLISH_MS = 5_000;
const CHECK_MS = 2_000;
const RECONNECT_MS = 250;
/** Publishes of one batch in flight at once. */
const WINDOW = 256;
const DEDUPE_MS = 120_000;

/**
 * JetStream. A plain subscription on a stream's subjects hears what any node publishes; the relay
 * publishes from the log. The connection mends itself; what is lost meanwhile, the feeds read from the log.
 * Rejects when the server cannot be reached in 5 s or does not speak JetStream.
 */
export const createNatsBus = async (options: { url: string; source: string; log: Log }): Promise<Bus> => {
  const { log, source } = options;
  const local = createLocalSubscriptions();
  const connection: NatsConnection = await connect({
    servers: options.url.split(","),
    name: "darkroom",
    timeout: CONNECT_MS,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_MS,
  });
  void (async () => {
    for await (const status of connection.status()) log.info({ nats: status.type }, "nats status");
  })();
  const jetstream: JetStreamClient = connection.jetstream({ timeout: PUBLISH_MS });

  const manager = () => connection.jetstreamManager({ timeout: CHECK_MS });
  const ensureStream = async () => {
    const streams = (await manager()).streams;
    try {
      return await streams.info(STREAM);
    } catch (error) {
      if (!/stream not found/.test(String(error))) throw error;
      return await streams.add({
        name: STREAM,
        subjects: [ALL_SUBJECTS],
        retention: RetentionPolicy.Limits,
        storage: StorageType.File,
        duplicate_window: DEDUPE_MS * NANOS,
      });
    }
  };
  try {
    await ensureStream();
  } catch (error) {
    await connection.close();
    throw error;
  }

  const subscriptions = new Map<string, () => void>();
  const listen = (stream: string) => {
    const subscription = connection.subscribe(streamSubject(stream), {
      callback: (error, message) => {
        if (error) return;
        try {
          const fact = decodeFact(message.subject, message.headers, message.data);
          if (fact) local.deliver(fact);
        } catch (unreadable) {
          log.warn({ err: unreadable }, "unreadable message on the bus");
        }
      },
    });
    subscriptions.set(stream, () => subscription.unsubscribe());
  };

  const publishOne = (fact: Fact) => {
    const { data, headers } = encodeFact(fact, source);
    return jetstream.publish(subjectOf(fact), data, { headers, msgID: messageId(fact) });
  };

  return {
    durable: true,
    announce: (facts) => facts.forEach(local.deliver),
    publish: async (facts) => {
      let taken = 0;
      for (let first = 0; first < facts.length; first += WINDOW) {
        const window = await Promise.allSettled(facts.slice(first, first + WINDOW).map(publishOne));
        const failed = window.findIndex(({ status }) => status === "rejected");
        if (failed >= 0) {
          log.warn({ err: (window[failed] as PromiseRejectedResult).reason }, "publish was not acknowledged");
          return taken + failed;
        }
        taken += window.length;
      }
      return taken;
    },
    subscribe: (stream, listener) => {
      if (!local.has(stream)) listen(stream);
      return local.add(stream, listener, () => {
        subscriptions.get(stream)?.();
        subscriptions.delete(stream);
      });
    },
    incarnation: async () => (await ensureStream()).created,
    check: async () => {
      await (await manager()).streams.info(STREAM);
    },
    close: async () => {
      await connection.drain().catch(() => connection.close());
    },
  };
};
