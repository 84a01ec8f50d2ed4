/** The composition root: builds everything on top of the services, and closes it in the opposite order. */
import type { BatchView } from "../machines/batch.ts";
import type { JobView } from "../machines/job.view.ts";
import { createEngine, policyOf } from "./actors/engine.ts";
import { createLife } from "./actors/life.ts";
import { emptyUnit } from "./actors/unit.ts";
import { createAttachmentCommands } from "./attachments/commands.ts";
import { createAttachmentEffects } from "./attachments/effects.ts";
import { createLinks } from "./attachments/links.ts";
import { createAttachmentRoutes } from "./attachments/routes.ts";
import { DEMO_USER } from "./auth/demo.ts";
import { createKnownUsers } from "./auth/known-users.ts";
import { createPasswords } from "./auth/passwords.ts";
import { createAuthRoutes } from "./auth/routes.ts";
import { createTokens } from "./auth/tokens.ts";
import { createBatchCommands } from "./batches/commands.ts";
import { createBatchReads, presentBatch } from "./batches/reads.ts";
import { createBatchRoutes } from "./batches/routes.ts";
import { createBatchSockets } from "./batches/sockets.ts";
import { createBatchStreams } from "./batches/streams.ts";
import { createChatCommands } from "./chats/commands.ts";
import { createChatRoutes } from "./chats/routes.ts";
import type { Config } from "./config.ts";
import { createFactLog } from "./facts/log.ts";
import { createRelay } from "./facts/relay.ts";
import { createDocs } from "./http/docs.ts";
import { createExchanges } from "./http/exchange.ts";
import { createGuard } from "./http/guard.ts";
import { createHealth } from "./http/health.ts";
import { createHostCheck } from "./http/hosts.ts";
import { createMetrics, createMetricsRoute } from "./http/metrics.ts";
import { createOnce } from "./http/once.ts";
import { createOrigins } from "./http/origins.ts";
import type { NewUser } from "./http/principal.ts";
import { createProviderRoutes } from "./http/providers.ts";
import { createBase } from "./http/toolkit.ts";
import { createAccountReads } from "./jobs/accounts.ts";
import { createBreakers } from "./jobs/breakers.ts";
import { createCheckTokens } from "./jobs/check-tokens.ts";
import { createJobCommands, outputRows } from "./jobs/commands.ts";
import { createJobEffects } from "./jobs/effects.ts";
import { createHistory } from "./jobs/history.ts";
import { createJobObserver } from "./jobs/observe.ts";
import { createOutlook } from "./jobs/outlook.ts";
import { createJobPresenter, type JobLabels } from "./jobs/present.ts";
import { createJobPulses } from "./jobs/pulses.ts";
import { createJobReads } from "./jobs/reads.ts";
import { createJobRoutes } from "./jobs/routes.ts";
import { scheduled } from "./jobs/scheduled.ts";
import { createLog } from "./log.ts";
import { offered } from "./models/catalog.ts";
import { createModelRoutes } from "./models/routes.ts";
import { createOptionCommands } from "./options/commands.ts";
import { createOptionRoutes } from "./options/routes.ts";
import type { Fact } from "./ports.ts";
import { type Overrides, openServices } from "./services.ts";
import { createClients } from "./streams/clients.ts";
import { createEnvelopes } from "./streams/envelope.ts";
import { createFeed } from "./streams/feed.ts";
import { createMessages } from "./streams/messages.ts";
import type { Served } from "./streams/session.ts";
import { createTails } from "./streams/tail.ts";
import { createReceiver } from "./webhooks/receive.ts";
import { createReplays } from "./webhooks/replays.ts";
import { createHookRoutes, HOOK_ROUTE } from "./webhooks/routes.ts";
import { createHooks } from "./webhooks/token.ts";

const STREAMS_PER_USER = 100;
const STREAMS = 50_000;
/** What was sent is waited for this much longer than its own limit: an answer that is dropped must be looked for. */
const FINISH_MARGIN_MS = 1_000;
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

const version = "0.1.0";

export const createApp = async (config: Config, overrides: Overrides = {}): Promise<App> => {
  await using opened = new AsyncDisposableStack();
  const log = overrides.log ?? createLog(config.LOG_LEVEL);
  const services = await openServices(config, overrides, opened, log);
  const { query, write, clock, draws, bus, storage, s3, providers, tmpDir } = services;
  const factLog = createFactLog(query);
  const relay = bus.durable ? createRelay({ query: write, bus, clock, node: draws.id(), log }) : null;
  opened.defer(() => relay?.close());
  const models = offered({ providers: new Set(providers.keys()) });
  for (const { name, rates } of providers.values()) {
    await write("ensureAccount", [name, config.PROVIDER_CONCURRENCY, rates?.submits ?? null, rates?.checks ?? null]);
  }
  const origins = createOrigins(config);
  const urlEpoch = () => (config.USE_PUBLIC_URLS ? 0 : Math.floor(Date.now() / (config.S3_URL_TTL_S * 500)));

  // Actors.
  const metrics = createMetrics({
    queueDepth: async () => (await query<{ live: number }>("countLiveJobs"))[0]?.live ?? 0,
    parkedActors: async () => (await query<{ parked: number }>("countParked"))[0]?.parked ?? 0,
    pausedAccounts: () => query("pausedAccounts"),
  });
  const breakers = createBreakers({
    policy: { failures: config.BREAKER_FAILURES, coolDownMs: config.BREAKER_COOLDOWN_MS },
    write,
    clock,
    log,
    observe: (provider, state) => metrics.breakerState.set({ provider }, BREAKER_VALUES[state]),
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
    rows: outputRows,
    announce: (facts) => {
      bus.announce(facts);
      relay?.hint(new Set(facts.map(({ stream }) => stream)));
      facts.forEach(observeJobs);
    },
    observe: {
      commit: (seconds, outcomes) => {
        metrics.commitSeconds.observe(seconds);
        metrics.commitUnits.observe(outcomes.length);
        for (const outcome of outcomes) metrics.units.inc({ outcome });
      },
      effect: (effect, outcome, seconds) => metrics.effectSeconds.observe({ effect, outcome }, seconds),
      timer: (takenOver, seconds) => metrics.timerSeconds.observe({ by: takenOver ? "sweep" : "heap" }, seconds),
    },
  });
  opened.defer(() => engine.close());
  const { dispatch, watch } = engine;
  const hooks = createHooks({
    secret: services.derive("webhooks"),
    publicUrl: config.PUBLIC_URL,
    callable: services.callable,
  });
  const history = createHistory({ query, clock, pace: policyOf(config).poll, log });
  const jobEffects = createJobEffects({
    query,
    storage,
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
  engine.handle(createAttachmentEffects({ storage, maxBytes: config.UPLOAD_MAX_BYTES, tmpDir, timeoutMs: 30_000 }));

  // Streams.
  const tails = createTails({ bus, log: factLog, clock, logger: log });
  opened.defer(() => tails.close());
  const present = createJobPresenter({ storage, clock, pollMinMs: config.POLL_MIN_MS });
  const render = async ({ actorKind, actorId, data }: Fact) => {
    if (actorKind === "job") return present(data as unknown as JobLabels, data as unknown as JobView);
    if (actorKind === "batch") return presentBatch(actorId, data as unknown as BatchView);
    return data;
  };
  const envelopes = createEnvelopes({ render, source: config.PUBLIC_URL, log });
  const outlook = createOutlook({ history, clock, slots: config.PROVIDER_CONCURRENCY });
  const pulses = createJobPulses({ query, clock, draws, log, outlook, source: config.PUBLIC_URL });
  opened.defer(() => pulses.close());
  const messages = createMessages({ feed: createFeed({ tails, log: factLog }), envelopes, pulses: pulses.of });
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
    finishWork: () => {
      clients.close();
      return engine.drain();
    },
    observe: (state) => log.info({ state }, "node"),
    log,
  });

  // Who may do what.
  const exchanges = createExchanges();
  const provision = createKnownUsers(async ({ id, email, passwordHash, role }: NewUser) => {
    const unit = emptyUnit(draws.id());
    unit.rows.users = [{ id, email: email ?? null, password_hash: passwordHash ?? null, role }];
    await dispatch.submit(unit);
  });
  const tokens = createTokens({ secret: services.secret, ttlS: config.JWT_TTL_S, demo: config.DEMO });
  const guard = createGuard({ verify: tokens.verify, provision, demo: config.DEMO ? DEMO_USER : null, exchanges });

  // Slices.
  const once = createOnce({ query, dispatch });
  const jobReads = createJobReads({ query, present, history, outlook });
  const jobCommands = createJobCommands({
    dispatch,
    reads: jobReads,
    clock,
    draws,
    defaultTimeoutMs: config.JOB_TIMEOUT_MS,
    callable: services.callable,
  });
  const attachmentCommands = createAttachmentCommands({
    dispatch,
    watch,
    query,
    storage,
    clock,
    draws,
    uploadTtlS: config.UPLOAD_TTL_S,
  });
  const optionCommands = createOptionCommands({
    query,
    jobs: jobCommands,
    attachments: attachmentCommands,
    models,
    draws,
    enhancement: config.PROMPT_ENHANCEMENT,
  });
  const chatCommands = createChatCommands({
    dispatch,
    query,
    attachments: attachmentCommands,
    options: optionCommands,
    clock,
    draws,
  });
  const batchReads = createBatchReads({ query, jobs: jobReads });
  const batchCommands = createBatchCommands({
    dispatch,
    jobs: jobCommands,
    options: optionCommands,
    models,
    reads: batchReads,
    clock,
    draws,
  });
  const batchStreams = createBatchStreams({ reads: batchReads, clients, messages });
  const links = createLinks({
    secret: services.derive("attachment-links"),
    publicUrl: config.PUBLIC_URL,
    now: clock.now,
  });
  const sockets = createBatchSockets({
    streams: batchStreams,
    authenticate: guard.authenticate,
    hostAllowed: createHostCheck(config),
    originTrusted: origins.trusted,
    publicUrl: config.PUBLIC_URL,
  });

  const receiver = createReceiver({
    providers,
    hooks,
    replays: createReplays(query),
    dispatch,
    query,
    clock,
    log,
  });

  const http = createBase({ config, log, metrics, exchanges, origins, raw: new Set([HOOK_ROUTE]) })
    .use(
      createHealth({
        log,
        checks: {
          postgres: async () => {
            await query("databaseNow");
            await services.lock.check();
          },
          clock: () => services.databaseClock.check(),
          storage: () => storage.check(),
          bus: () => bus.check(),
          node: async () => {
            if (!life.ready()) throw new Error("this node is not ready");
          },
        },
      }),
    )
    .use(createMetricsRoute(metrics))
    .use(createProviderRoutes({ guard, read: accounts.states }))
    .use(createDocs({ publicUrl: config.PUBLIC_URL, version, sockets: [sockets.description] }))
    .use(createAuthRoutes({ query, tokens, passwords: createPasswords(), provision, guard, demo: config.DEMO }))
    .use(createModelRoutes({ guard, models }))
    .use(
      createAttachmentRoutes({
        guard,
        commands: attachmentCommands,
        links,
        storage,
        query,
        maxBytes: config.UPLOAD_MAX_BYTES,
      }),
    )
    .use(createJobRoutes({ guard, reads: jobReads, commands: jobCommands, once, clients, messages, urlEpoch }))
    .use(createOptionRoutes({ guard, commands: optionCommands, once, query }))
    .use(createChatRoutes({ guard, commands: chatCommands, query, clients, messages }))
    .use(
      createBatchRoutes({ guard, commands: batchCommands, reads: batchReads, streams: batchStreams, once, urlEpoch }),
    )
    .use(createHookRoutes({ receiver, exchanges }));

  const closing = opened.move();
  return {
    fetch: async (request) => (await s3?.handle(request)) ?? http.fetch(request),
    socket: (request) => sockets.upgrade(request),
    start: async () => {
      relay?.start();
      await engine.start();
      life.started();
    },
    settle: async () => {
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
