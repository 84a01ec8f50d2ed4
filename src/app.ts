/** The composition root: builds everything on top of the services, and closes it in the opposite order. */
import type { BatchView } from "../machines/batch.words.ts";
import { createEngine, policyOf } from "./actors/engine.ts";
import { createLife } from "./actors/life.ts";
import { createAttachmentEffects } from "./attachments/effects.ts";
import { renderAttachment } from "./attachments/render.ts";
import { presentBatch } from "./batches/reads.ts";
import type { Config } from "./config.ts";
import { triedEndpoints } from "./endpoints/tried.ts";
import { createWebhooksOut } from "./endpoints/webhooks-out.ts";
import { createFactLog } from "./facts/log.ts";
import { createRelay } from "./facts/relay.ts";
import { createMetrics } from "./http/metrics.ts";
import { createAccountReads } from "./jobs/accounts.ts";
import { createBreakers } from "./jobs/breakers.ts";
import { createCheckTokens } from "./jobs/check-tokens.ts";
import { outputRows } from "./jobs/commands.ts";
import { createJobEffects } from "./jobs/effects.ts";
import { createHistory } from "./jobs/history.ts";
import { createJobObserver } from "./jobs/observe.ts";
import { createOutlook } from "./jobs/outlook.ts";
import { createJobPresenter } from "./jobs/present.ts";
import { createJobPulses } from "./jobs/pulses.ts";
import { createJobRender } from "./jobs/render.ts";
import { scheduled } from "./jobs/scheduled.ts";
import { createLog } from "./log.ts";
import { offered } from "./models/catalog.ts";
import type { Fact, Sighting } from "./ports.ts";
import { createKept } from "./retention/kept.ts";
import { createRetention } from "./retention/sweep.ts";
import { type Overrides, openServices } from "./services.ts";
import { createClients } from "./streams/clients.ts";
import { createEnvelopes } from "./streams/envelope.ts";
import { createFeed } from "./streams/feed.ts";
import { createMessages } from "./streams/messages.ts";
import type { Served } from "./streams/session.ts";
import { createTails } from "./streams/tail.ts";
import { createWaits } from "./streams/waits.ts";
import { createHooks } from "./webhooks/token.ts";
import { createApi } from "./api.ts";
const STREAMS_PER_USER = 100;
const STREAMS = 50_000;
const WAITS_PER_USER = 10;
const WAITS = 1_000;
/** What was sent is waited for this much longer than its own limit: an answer that is dropped must be looked for. */
const FINISH_MARGIN_MS = 1_000;
const PARTS_AGE_MS = 86_400_000;
const BREAKER_VALUES = { closed: 0, halfOpen: 1, open: 2 };

export type App = Served & {
  /** Starts the sweep and so everything that goes on by itself. After the listener serves this app. */
  start(): Promise<void>;
  /** Resolves when nothing is running; timers may be set. */
  settle(): Promise<void>;
  /**
   * Readiness fails, for `DRAIN_DELAY_MS` with everything going on; then nothing new is begun and streams end.
   * Resolves when what was begun is done, or takes too long. Requests are answered all the while.
   */
  drain(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

export const createApp = async (config: Config, overrides: Overrides = {}): Promise<App> => {
  await using opened = new AsyncDisposableStack();
  const log = overrides.log ?? createLog(config.LOG_LEVEL);
  const services = await openServices(config, overrides, opened, log);
  const { query, write, clock, draws, bus, storage, providers, tmpDir } = services;
  const factLog = createFactLog(query);
  const node = draws.id();
  const exhibit = (seen: Pick<Sighting, "machine" | "provider" | "state" | "context">) =>
    bus.exhibit({ id: draws.id(), node, at: clock.now(), ...seen });
  const models = offered({ providers: new Set(providers.keys()) });
  for (const { name, rates } of providers.values()) {
    await write("ensureAccount", [name, config.PROVIDER_CONCURRENCY, rates?.submits ?? null, rates?.checks ?? null]);
  }

  const metrics = createMetrics({
    queueDepth: async () => (await query<{ live: number }>("countLiveJobs"))[0]?.live ?? 0,
    parkedActors: async () => (await query<{ parked: number }>("countParked"))[0]?.parked ?? 0,
    pausedAccounts: () => query("pausedAccounts"),
    relayLag: async () => (await relay?.lag()) ?? { facts: 0, seconds: 0 },
  });
  const relay = bus.durable
    ? createRelay({ query: write, bus, clock, node, log, observe: (facts) => metrics.published.inc(facts) })
    : null;
  opened.defer(() => relay?.close());

  // Actors.
  const breakers = createBreakers({
    policy: { failures: config.BREAKER_FAILURES, coolDownMs: config.BREAKER_COOLDOWN_MS },
    write,
    clock,
    log,
    observe: (provider, state, context) => {
      metrics.breakerState.set({ provider }, BREAKER_VALUES[state]);
      exhibit({ machine: "breaker", provider, state, context });
    },
  });
  opened.defer(() => breakers.close());
  const accounts = createAccountReads({ query, breaker: breakers.state });
  const observeJobs = createJobObserver({ log, metrics });
  const engine = createEngine({
    config,
    query,
    write,
    clock,
    draws,
    log,
    alone: services.alone,
    rows: (change) => ({ ...outputRows(change), ...triedEndpoints(change) }),
    announce: (facts) => {
      bus.announce(facts);
      relay?.hint(new Set(facts.map(({ stream }) => stream)));
      facts.forEach(observeJobs);
      out.outbox.announce(facts);
    },
    changed: (change) => out.outbox.changed(change),
    observe: {
      commit: (seconds, outcomes) => {
        metrics.commitSeconds.observe(seconds);
        metrics.commitUnits.observe(outcomes.length);
        for (const outcome of outcomes) metrics.units.inc({ outcome });
      },
      failed: (outcome, units) => metrics.units.inc({ outcome }, units),
      effect: (effect, outcome, seconds) => metrics.effectSeconds.observe({ effect, outcome }, seconds),
      timer: (takenOver, seconds) => metrics.timerSeconds.observe({ by: takenOver ? "sweep" : "heap" }, seconds),
    },
  });
  opened.defer(() => engine.close());
  const out = createWebhooksOut({ config, query, dispatch: engine.dispatch, clock, draws, log });
  opened.defer(() => out.outbox.close());
  const hooks = createHooks({
    secret: services.derive("webhooks"),
    publicUrl: config.PUBLIC_URL,
    callable: services.callable,
  });
  const history = createHistory({ query, clock, pace: policyOf(config).poll, log });
  const kept = createKept({ write, storage, clock });
  const jobEffects = createJobEffects({
    query,
    storage,
    kept,
    providers: new Map([...providers].map(([name, provider]) => [name, breakers.listen(provider)])),
    limits: config,
    draws,
    tmpDir,
    counted: {
      polls: () => metrics.providerPolls.inc(),
      deferred: (provider) => metrics.pollsDeferred.inc({ provider }),
    },
    checks: createCheckTokens({ write, clock }),
    webhookUrl: hooks.urlFor,
  });
  engine.handle(config.POLL_STRATEGY === "adaptive" ? scheduled(jobEffects, history) : jobEffects);
  const timeoutMs = policyOf(config).verifyTimeoutMs;
  engine.handle(createAttachmentEffects({ storage, kept, maxBytes: config.UPLOAD_MAX_BYTES, tmpDir, timeoutMs }));

  // Streams.
  const tails = createTails({ bus, log: factLog, clock, logger: log });
  opened.defer(() => tails.close());
  const present = createJobPresenter({ storage, clock, pollMinMs: config.POLL_MIN_MS });
  const renderJob = createJobRender({ query, present });
  const render = async (fact: Fact) => {
    if (fact.actorKind === "job") return renderJob(fact);
    if (fact.actorKind === "attachment") return renderAttachment(fact);
    if (fact.type === "batch.deleted") return { job_id: fact.actorId };
    if (fact.actorKind === "batch") return presentBatch(fact.actorId, fact.data as unknown as BatchView);
    return fact.data;
  };
  engine.handle(out.effects({ factLog, render }));
  const envelopes = createEnvelopes({ render, source: config.PUBLIC_URL, log });
  const outlook = createOutlook({ history, clock, slots: config.PROVIDER_CONCURRENCY });
  const pulses = createJobPulses({ query, clock, draws, log, outlook, source: config.PUBLIC_URL });
  opened.defer(() => pulses.close());
  const feed = createFeed({ tails, log: factLog });
  const messages = createMessages({ feed, envelopes, pulses: pulses.of });
  const waits = createWaits({ feed, clock, perUser: WAITS_PER_USER, most: WAITS });
  opened.defer(() => waits.close());
  const clients = createClients({
    clock,
    perUser: STREAMS_PER_USER,
    most: STREAMS,
    counted: (transport, change) => metrics.streamsOpen.inc({ transport }, change),
    random: draws.random,
    log,
  });
  opened.defer(() => clients.close());
  const life = createLife({
    policy: {
      drainDelayMs: config.DRAIN_DELAY_MS,
      finishLimitMs: config.NOT_AFTER_MS + config.SUBMIT_TIMEOUT_MS + FINISH_MARGIN_MS,
    },
    clock,
    finishWork: async () => {
      clients.close();
      waits.close();
      await retention.close();
      await out.outbox.close();
      await engine.drain();
    },
    observe: (state) => {
      log.info({ node, state }, "node");
      exhibit({ machine: "node", provider: null, state, context: {} });
    },
    log,
  });

  const { removals, ...api } = createApi({
    config,
    log,
    metrics,
    services,
    dispatch: engine.dispatch,
    watch: engine.watch,
    models,
    accounts: accounts.states,
    hooks,
    out,
    history,
    outlook,
    present,
    clients,
    messages,
    waits,
    ready: life.ready,
  });
  const retention = createRetention({
    query,
    write,
    storage,
    clock,
    log,
    removals,
    periods: {
      chats: config.RETAIN_CHATS_DAYS,
      jobs: config.RETAIN_JOBS_DAYS,
      attachments: config.RETAIN_ATTACHMENTS_DAYS,
    },
    graceMs: config.OBJECT_GRACE_S * 1000,
    partsAgeMs: Math.max(PARTS_AGE_MS, 2 * config.UPLOAD_TTL_S * 1000),
    durable: bus.durable,
    alone: services.alone,
  });
  opened.defer(() => retention.close());
  const closing = opened.move();
  return {
    ...api,
    start: async () => {
      relay?.start();
      await engine.start();
      out.outbox.start();
      retention.start();
      life.started();
    },
    settle: async () => {
      await engine.settle();
      await out.outbox.idle();
      await engine.settle();
      await relay?.idle();
    },
    drain: life.drain,
    [Symbol.asyncDispose]: async () => {
      await life.drain();
      await closing.disposeAsync();
    },
  };
};
