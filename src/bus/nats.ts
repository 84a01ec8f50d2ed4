import { connect, Events, type NatsConnection, RetentionPolicy, StorageType } from "nats";
import type { Log } from "../log.ts";
import type { Bus, Fact } from "../ports.ts";
import { createLocalSubscriptions } from "./local.ts";
import { decodeFact, encodeFact, messageId } from "./message.ts";
import { ALL_SUBJECTS, STREAM, streamSubject, subjectOf } from "./subjects.ts";

const NANOS = 1_000_000;
const CONNECT_MS = 5_000;
const PUBLISH_MS = 2_000;
const CHECK_MS = 2_000;
const RECONNECT_MS = 250;
const DEDUPE_MS = 120_000;

/** The client's errors are single words in capitals. */
const explain = (sentence: string) => (cause: Error) => {
  throw new Error(`${sentence} (${cause.message})`, { cause });
};

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
  }).catch(explain("NATS cannot be reached; look at NATS_URL"));
  void (async () => {
    for await (const { type } of connection.status())
      if (type === Events.Disconnect || type === Events.Reconnect || type === Events.Error)
        log.warn({ nats: type }, "NATS connection");
  })();
  const jetstream = connection.jetstream({ timeout: PUBLISH_MS });
  const open = async () => {
    const manager = await connection
      .jetstreamManager({ timeout: CHECK_MS })
      .catch(explain("NATS does not offer JetStream; start nats-server with -js"));
    const ensureStream = async () => {
      try {
        return await manager.streams.info(STREAM);
      } catch (error) {
        if (!/stream not found/.test(String(error))) throw error;
        return await manager.streams.add({
          name: STREAM,
          subjects: [ALL_SUBJECTS],
          retention: RetentionPolicy.Limits,
          storage: StorageType.File,
          duplicate_window: DEDUPE_MS * NANOS,
        });
      }
    };
    await ensureStream();
    return { manager, ensureStream };
  };
  const { manager, ensureStream } = await open().catch(async (error) => {
    await connection.close();
    throw error;
  });

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
    // One at a time: a fact that is sent before its predecessor was acknowledged can be stored before it,
    // when the connection or the leader changes in between.
    publish: async (facts) => {
      let taken = 0;
      for (const fact of facts) {
        try {
          await publishOne(fact);
        } catch (error) {
          log.warn({ err: error }, "publish was not acknowledged");
          break;
        }
        taken++;
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
      await manager.streams.info(STREAM);
    },
    // Not drained: what was published is acknowledged, and a drain while the server is away resolves
    // without closing, so that the connection would knock there for ever.
    close: () => connection.close(),
  };
};
