/**
 * The JetStream stream that holds every fact: made where there is none, else brought to what the settings say, as far
 * as JetStream allows. What it cannot be brought to stops the boot, as does a stream that would lose what it
 * acknowledged; whoever may not change it is warned.
 */
import { ErrorCode, type JetStreamManager, NatsError, type StreamInfo } from "nats";
import type { NatsSettings } from "../config/nats.ts";
import type { Log } from "../log.ts";
import { type Changes, differences, flawOf, newStream, wantedBy } from "./stream-config.ts";
import { STREAM } from "./subjects.ts";

const NOT_FOUND = 10059;
const MADE_BY_ANOTHER = 10058;
/** No leader yet, or not enough servers that have said that they are there. */
const STARTING = new Set([10005, 10008, 10023]);
const NO_JETSTREAM = new Set([10039, 10076]);
/** How long a cluster that is just starting is waited for. */
const PATIENCE_MS = 10_000;
const PAUSE_MS = 250;

const codeOf = (error: unknown) => (error instanceof NatsError ? (error.api_error?.err_code ?? 0) : 0);
const isForbidden = (error: unknown) => error instanceof NatsError && error.isPermissionError();
const said = (error: unknown) => (error instanceof Error ? error.message : String(error));
const refuse = (sentence: string, cause?: unknown): never => {
  throw new Error(cause === undefined ? sentence : `${sentence} (${said(cause)})`, { cause });
};

export const createStream = (deps: {
  manager: JetStreamManager;
  clustered: boolean;
  config: NatsSettings;
  /** Awaited before the stream is made, while there is none. */
  beforeNew?(): Promise<void>;
  log: Log;
}) => {
  const { manager, config, log } = deps;
  const wanted = wantedBy(config);

  /** The stream as it is; made when there is none. Another node may make it at the same moment. */
  const ensure = async (): Promise<StreamInfo> => {
    try {
      return await manager.streams.info(STREAM);
    } catch (error) {
      if (codeOf(error) !== NOT_FOUND) throw error;
    }
    await deps.beforeNew?.();
    try {
      return await manager.streams.add(newStream(wanted));
    } catch (error) {
      if (codeOf(error) === MADE_BY_ANOTHER) return manager.streams.info(STREAM);
      if (isForbidden(error)) {
        return refuse(
          `there is no stream ${STREAM} on NATS, and this user may not make it: make it, or allow that`,
          error,
        );
      }
      throw error;
    }
  };

  const update = async (changes: Changes) => {
    try {
      await manager.streams.update(STREAM, changes);
      log.info({ stream: STREAM, ...changes }, "stream changed to what the settings say");
    } catch (error) {
      if (!isForbidden(error) || changes.subjects) {
        refuse(
          `stream ${STREAM} on NATS cannot be changed to what the settings say: ${JSON.stringify(changes)}`,
          error,
        );
      }
      log.warn({ stream: STREAM, ...changes }, "this NATS user may not change the stream to what the settings say");
    }
  };

  /** Rejects with a sentence for an operator. */
  const prepare = async (): Promise<void> => {
    // 2.9 notes several replicas on a server alone, and keeps one.
    if ((wanted.num_replicas ?? 1) > 1 && !deps.clustered) {
      refuse(`NATS_STREAM_REPLICAS=${wanted.num_replicas} needs a cluster, and NATS is one server alone`);
    }
    const { config: is } = await ensure();
    const flaw = flawOf(is);
    if (flaw) refuse(`stream ${STREAM} on NATS ${flaw}; delete it, and it is made again as it should be`);
    const changes = differences(is, wanted);
    if (Object.keys(changes).length > 0) await update(changes);
  };

  const isStarting = (error: unknown) =>
    error instanceof NatsError && (error.code === ErrorCode.Timeout || STARTING.has(codeOf(error)));

  return {
    ensure,
    /** Rejects when it cannot be looked at. */
    check: async (): Promise<void> => {
      await manager.streams.info(STREAM);
    },
    prepare: async (): Promise<void> => {
      for (const began = performance.now(); ; ) {
        try {
          return await prepare();
        } catch (error) {
          const late = performance.now() - began > PATIENCE_MS;
          if (!isStarting(error) || late) return explain(error);
        }
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    },
  };
};

const explain = (error: unknown): never => {
  if (!(error instanceof NatsError)) throw error;
  if (error.code === ErrorCode.JetStreamNotEnabled && codeOf(error) === 0) {
    return refuse("NATS does not offer JetStream; start nats-server with -js", error);
  }
  if (NO_JETSTREAM.has(codeOf(error))) return refuse("NATS does not offer JetStream to this user's account", error);
  if (error.isPermissionError()) return refuse(`this NATS user may not look at stream ${STREAM}: allow that`, error);
  return refuse(`NATS cannot keep stream ${STREAM} as the settings say`, error);
};
