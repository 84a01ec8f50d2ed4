/** Requests: who may do what, the slices and their routes, on top of the actors and streams of a node. */
import type { Dispatch } from "./actors/dispatch.ts";
import type { Watch } from "./actors/watch.ts";
import { createAttachmentCommands } from "./attachments/commands.ts";
import { attachmentFacts } from "./attachments/facts.ts";
import { createLinks } from "./attachments/links.ts";
import { createOpenUploads } from "./attachments/open-uploads.ts";
import { createAttachmentRoutes } from "./attachments/routes.ts";
import { createUserCommands } from "./auth/commands.ts";
import { DEMO_USER } from "./auth/demo.ts";
import { createKnownUsers } from "./auth/known-users.ts";
import { createMeRoutes } from "./auth/me.ts";
import { createPasswords } from "./auth/passwords.ts";
import { createAuthRoutes } from "./auth/routes.ts";
import { createTokens } from "./auth/tokens.ts";
import { createBatchCommands } from "./batches/commands.ts";
import { batchFacts, batchStreamDescriptions } from "./batches/facts.ts";
import { createBatchReads } from "./batches/reads.ts";
import { createBatchRoutes } from "./batches/routes.ts";
import { createBatchSocket } from "./batches/sockets.ts";
import { createBatchSource } from "./batches/streams.ts";
import { createChatCommands } from "./chats/commands.ts";
import { chatFacts, chatStreamDescription } from "./chats/facts.ts";
import { createChatRoutes } from "./chats/routes.ts";
import { createChatSource } from "./chats/streams.ts";
import type { Config } from "./config.ts";
import { createDeliveryRoutes } from "./endpoints/delivery-routes.ts";
import { endpointFacts } from "./endpoints/facts.ts";
import { createFilterCheck } from "./endpoints/filter.ts";
import { createEndpointRoutes } from "./endpoints/routes.ts";
import type { WebhooksOut } from "./endpoints/webhooks-out.ts";
import { classify } from "./http/classify.ts";
import { createDocs } from "./http/docs.ts";
import { createExchanges } from "./http/exchange.ts";
import { createGuard } from "./http/guard.ts";
import { createHealth } from "./http/health.ts";
import { createHostCheck } from "./http/hosts.ts";
import { createMetricsRoute } from "./http/metrics.ts";
import type { Metrics } from "./http/metrics.ts";
import { createOnce } from "./http/once.ts";
import { createOrigins } from "./http/origins.ts";
import { problemBody } from "./http/problems.ts";
import { createProviderRoutes, type ProviderState } from "./http/providers.ts";
import { createBase } from "./http/toolkit.ts";
import { createUpgrades } from "./http/upgrades.ts";
import { createJobCommands } from "./jobs/commands.ts";
import { jobFacts, jobStreamDescription } from "./jobs/facts.ts";
import type { History } from "./jobs/history.ts";
import type { OutlookOf } from "./jobs/outlook.ts";
import { createPatience } from "./jobs/patience.ts";
import type { PresentJob } from "./jobs/present.ts";
import { createJobReads } from "./jobs/reads.ts";
import { createRemoval } from "./jobs/removal.ts";
import { createJobRoutes } from "./jobs/routes.ts";
import { createJobSource } from "./jobs/streams.ts";
import { liveDialogue, meStreamDescription } from "./live/facts.ts";
import { createMeSource } from "./live/me.ts";
import { createLiveRoutes } from "./live/routes.ts";
import { createLiveSocket } from "./live/sockets.ts";
import { createSources } from "./live/sources.ts";
import { createTickets } from "./live/tickets.ts";
import type { Log } from "./log.ts";
import type { OfferedModel } from "./models/model.ts";
import { createModelRoutes } from "./models/routes.ts";
import { createOptionCommands } from "./options/commands.ts";
import { optionFacts } from "./options/facts.ts";
import { createOptionRoutes } from "./options/routes.ts";
import type { Services } from "./services.ts";
import { createAsyncApi } from "./streams/asyncapi.ts";
import type { Clients } from "./streams/clients.ts";
import { createFollow } from "./streams/follow.ts";
import type { Messages } from "./streams/messages.ts";
import type { Served, SocketSession } from "./streams/session.ts";
import type { Waits } from "./streams/waits.ts";
import { createReceiver } from "./webhooks/receive.ts";
import { createReplays } from "./webhooks/replays.ts";
import { createHookRoutes, HOOK_ROUTE } from "./webhooks/routes.ts";
import type { Hooks } from "./webhooks/token.ts";

const version = "0.1.0";
const OPEN_UPLOADS_PER_USER = 100;

/** What a node has built below the slices. */
export type Ground = {
  config: Config;
  log: Log;
  metrics: Metrics;
  services: Services;
  dispatch: Dispatch;
  watch: Watch;
  models: readonly OfferedModel[];
  /** The states of the provider accounts. */
  accounts(): Promise<ProviderState[]>;
  hooks: Hooks;
  out: Pick<WebhooksOut, "commands" | "targets">;
  history: History;
  outlook: OutlookOf;
  present: PresentJob;
  clients: Clients;
  messages: Messages;
  waits: Waits;
  /** Whether the node is ready, as far as it alone decides. */
  ready(): boolean;
};

/** `removals`: what a request to delete does, by kind. */
export const createApi = (ground: Ground) => {
  const { config, log, metrics, services, models, accounts, hooks, history, outlook, present } = ground;
  const { clients, messages, waits, dispatch, watch, out } = ground;
  const { query, write, clock, draws, bus, storage, s3, providers } = services;
  const origins = createOrigins(config);
  const urlEpoch = () => (config.USE_PUBLIC_URLS ? 0 : Math.floor(Date.now() / (config.S3_URL_TTL_S * 500)));

  // Who may do what.
  const exchanges = createExchanges();
  const userCommands = createUserCommands({
    dispatch,
    query,
    clock,
    draws,
    allowed: {
      chats: config.RETAIN_CHATS_DAYS || null,
      jobs: config.RETAIN_JOBS_DAYS || null,
      attachments: config.RETAIN_ATTACHMENTS_DAYS || null,
    },
  });
  const provision = createKnownUsers(userCommands.provision, {
    deleted: async (ms) => {
      const rows = await query<{ id: string }>("deletedUsers", [new Date(clock.now() - ms)]);
      return rows.map(({ id }) => id);
    },
  });
  const tokens = createTokens({ secret: services.secret, ttlS: config.JWT_TTL_S, demo: config.DEMO });
  const tickets = createTickets({ write, clock, lifeMs: config.JWT_TTL_S * 1000 });
  const guard = createGuard({
    verify: tokens.verify,
    provision,
    demo: config.DEMO ? DEMO_USER : null,
    redeem: tickets.redeem,
    exchanges,
  });

  // Slices.
  const once = createOnce({ query, dispatch });
  const jobReads = createJobReads({ query, present, history, outlook });
  const remove = createRemoval({ dispatch, clock, draws });
  const jobCommands = createJobCommands({
    dispatch,
    reads: jobReads,
    remove,
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
    openUploads: createOpenUploads({ query, clock, ttlMs: config.UPLOAD_TTL_S * 1000, most: OPEN_UPLOADS_PER_USER }),
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
    remove,
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
    query,
    remove,
    clock,
    draws,
  });
  const links = createLinks({
    secret: services.derive("attachment-links"),
    publicUrl: config.PUBLIC_URL,
    now: clock.now,
  });

  // What can be followed.
  const follow = createFollow({ clients, messages });
  const patience = createPatience({ waits, log });
  const sources = {
    chat: createChatSource(chatCommands),
    job: createJobSource(jobReads),
    batch: createBatchSource(batchReads),
    me: createMeSource({ query, jobs: jobReads, batches: batchReads }),
  };
  const open = createSources(sources);
  const upgrades = createUpgrades<SocketSession>({
    routes: [
      createLiveSocket({
        clients,
        messages,
        clock,
        open,
        problemOf: (error) =>
          problemBody(classify(error), { instance: "/ws", requestId: draws.id(), publicUrl: config.PUBLIC_URL }),
      }),
      createBatchSocket({ source: sources.batch, follow }),
    ],
    guard,
    hostAllowed: createHostCheck(config),
    originTrusted: origins.trusted,
    publicUrl: config.PUBLIC_URL,
  });

  const facts = [...chatFacts, ...optionFacts, ...attachmentFacts, ...jobFacts, ...batchFacts, ...endpointFacts];
  const asyncapi = createAsyncApi({
    publicUrl: config.PUBLIC_URL,
    version,
    facts,
    streams: [chatStreamDescription, jobStreamDescription, ...batchStreamDescriptions, meStreamDescription],
    dialogues: [liveDialogue],
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
        // Without it streams hear from the log, and the relay catches up afterwards.
        spared: ["bus"],
        checks: {
          postgres: async () => {
            await query("databaseNow");
            await services.lock.check();
          },
          clock: () => services.databaseClock.check(),
          storage: () => storage.check(),
          bus: () => bus.check(),
          node: async () => {
            if (!ground.ready()) throw new Error("this node is not ready");
          },
        },
      }),
    )
    .use(createMetricsRoute(metrics))
    .use(createProviderRoutes({ guard, read: accounts }))
    .use(createDocs({ publicUrl: config.PUBLIC_URL, version, sockets: upgrades.descriptions, asyncapi }))
    .use(createAuthRoutes({ query, tokens, passwords: createPasswords(), provision, guard, demo: config.DEMO }))
    .use(createMeRoutes({ guard, commands: userCommands }))
    .use(createModelRoutes({ guard, models }))
    .use(
      createAttachmentRoutes({
        guard,
        exchanges,
        commands: attachmentCommands,
        links,
        storage,
        query,
        maxBytes: config.UPLOAD_MAX_BYTES,
      }),
    )
    .use(
      createJobRoutes({
        guard,
        reads: jobReads,
        commands: jobCommands,
        source: sources.job,
        follow,
        patience,
        once,
        urlEpoch,
      }),
    )
    .use(createOptionRoutes({ guard, commands: optionCommands, once, query, job: sources.job, patience }))
    .use(createChatRoutes({ guard, commands: chatCommands, query, source: sources.chat, follow }))
    .use(
      createBatchRoutes({
        guard,
        commands: batchCommands,
        reads: batchReads,
        source: sources.batch,
        follow,
        patience,
        once,
        urlEpoch,
      }),
    )
    .use(createLiveRoutes({ guard, follow, open, tickets }))
    .use(createHookRoutes({ receiver, exchanges }))
    .use(
      createEndpointRoutes({
        ...out,
        guard,
        query,
        checkEvents: createFilterCheck(facts.map(({ type }) => type)),
        now: clock.now,
      }),
    )
    .use(createDeliveryRoutes({ guard, commands: out.commands, query }));

  const served: Served = {
    fetch: async (request) => (await s3?.handle(request)) ?? http.fetch(request),
    socket: (request) => upgrades.upgrade(request),
  };
  const removals = {
    chat: chatCommands.remove,
    job: jobCommands.remove,
    batch: batchCommands.remove,
    attachment: attachmentCommands.remove,
    endpoint: out.commands.remove,
  };
  return { ...served, removals };
};
