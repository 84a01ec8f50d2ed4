import type { NatsSettings } from "../config/nats.ts";
import type { Log } from "../log.ts";
import type { Bus, Fact } from "../ports.ts";
import { connectNats } from "./connection.ts";
import { createLocalSubscriptions } from "./local.ts";
import { createHeads } from "./heads.ts";
import { decodeFact, encodeFact, messageId } from "./message.ts";
import { encodeSighting } from "./sighting.ts";
import { createStream } from "./stream.ts";
import { LARGEST_FACT } from "./stream-config.ts";
import { lineSubject, liveSubject, subjectOf } from "./subjects.ts";

const PUBLISH_MS = 2_000;
const CHECK_MS = 2_000;
/** A leader without a majority steps down after 10 s or so. */
const STALE_MS = 20_000;

/**
 * JetStream. A plain subscription on a line's subjects hears what any node publishes; the relay
 * publishes from the log. The connection mends itself; what is lost meanwhile, the feeds read from the log.
 * Rejects when the server cannot be reached in 5 s, or cannot keep facts as the settings say.
 */
export const createNatsBus = async (options: {
  config: NatsSettings;
  source: string;
  /** Awaited before the durable log is made, while there is none: also when it was lost. */
  beforeNew?(): Promise<void>;
  log: Log;
  /** How long a server may answer with what was, after another was made leader. */
  staleMs?: number;
}): Promise<Bus> => {
  const { config, source, beforeNew, log } = options;
  const local = createLocalSubscriptions();
  const heads = createHeads({ staleMs: options.staleMs ?? STALE_MS, now: () => performance.now() });
  /** Whether the storage was looked at since the connection was lost: it may be another one. */
  let sure = true;
  let connected = true;
  let changes = 0;
  let failing = false;
  const onChange = (now: boolean) => {
    connected = now;
    sure = false;
    changes++;
  };
  const connection = await connectNats(config, { log, onChange });
  /** What is asked of nobody would be answered by a timeout. */
  const mustBeConnected = () => {
    if (!connected) throw new Error("NATS is away");
  };
  const jetstream = connection.jetstream({ timeout: PUBLISH_MS });
  const open = async () => {
    const { max_payload = 0, cluster } = connection.info ?? {};
    if (max_payload < LARGEST_FACT) {
      throw new Error(
        `NATS takes no messages of ${LARGEST_FACT} bytes; raise its max_payload, which is ${max_payload}`,
      );
    }
    // Not asked whether JetStream is there at all: a user may be allowed to look at this one stream only.
    const manager = await connection.jetstreamManager({ timeout: CHECK_MS, checkAPI: false });
    const stream = createStream({ manager, clustered: Boolean(cluster), config, beforeNew, log });
    await stream.prepare();
    return stream;
  };
  const stream = await open().catch(async (error) => {
    await connection.close();
    throw error;
  });

  const subscriptions = new Map<string, () => void>();
  const listen = (line: string) => {
    const subscription = connection.subscribe(lineSubject(line), {
      callback: (error, message) => {
        if (error) return;
        try {
          const fact = decodeFact(message.subject, message.headers, message.data);
          // Who listens to both of its lines hears it by each.
          if (fact) local.deliverTo(line, fact);
        } catch (unreadable) {
          log.warn({ err: unreadable }, "unreadable message on the bus");
        }
      },
    });
    subscriptions.set(line, () => subscription.unsubscribe());
  };

  const publishOne = async (fact: Fact) => {
    const { data, headers } = encodeFact(fact, source);
    const acknowledged = heads.expect();
    const answer = await jetstream.publish(subjectOf(fact), data, { headers, msgID: messageId(fact) });
    if (!acknowledged(answer)) throw new Error("the stream has less than it acknowledged before");
  };
  /** The client would keep it until there is a connection, and send it to whatever is there then. */
  const publishSurely = async (fact: Fact): Promise<boolean> => {
    if (!sure) return false;
    try {
      await publishOne(fact);
    } catch (error) {
      if (!failing) log.warn({ err: error }, "facts are not acknowledged; they are published again until they are");
      failing = true;
      return false;
    }
    if (failing) log.info("facts are acknowledged again");
    failing = false;
    return true;
  };

  return {
    durable: true,
    announce: (facts) => facts.forEach(local.deliver),
    // One at a time: a fact that is sent before its predecessor was acknowledged can be stored before it,
    // when the connection or the leader changes in between.
    publish: async (facts) => {
      let taken = 0;
      for (const fact of facts) {
        if (!(await publishSurely(fact))) break;
        taken++;
      }
      return taken;
    },
    subscribe: (line, listener) => {
      if (!local.has(line)) listen(line);
      return local.add(line, listener, () => {
        subscriptions.get(line)?.();
        subscriptions.delete(line);
      });
    },
    exhibit: (sighting) => {
      const { data, headers } = encodeSighting(sighting, source);
      if (!connection.isClosed()) connection.publish(liveSubject(sighting), data, { headers });
    },
    storage: async (known) => {
      mustBeConnected();
      const before = changes;
      const { created, cluster, state } = await stream.ensure();
      if (changes === before) sure = true;
      // Without a leader, any server answers what it happens to have.
      return heads.look(known, created, cluster && !cluster.leader ? null : state.last_seq);
    },
    check: async () => {
      mustBeConnected();
      await stream.check();
    },
    // Not drained: what was published is acknowledged, and a drain while the server is away resolves
    // without closing, so that the connection would knock there for ever.
    close: () => connection.close(),
  };
};
