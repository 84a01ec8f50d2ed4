import type { Dispatch } from "../actors/dispatch.ts";
import type { EffectHandler } from "../actors/effects.ts";
import type { Config } from "../config.ts";
import type { Query } from "../db/queries.ts";
import type { FactLog } from "../facts/log.ts";
import type { Log } from "../log.ts";
import { createCheckedLookup, isPublicAddress, resolveByDns } from "../net/public-address.ts";
import type { Clock, Draws } from "../ports.ts";
import type { Render } from "../streams/envelope.ts";
import { createEndpointCommands } from "./commands.ts";
import { createDeliveryEffects } from "./effects.ts";
import { createOutbox } from "./outbox.ts";

/** Webhooks to users' own receivers, wired together from the settings. */
export const createWebhooksOut = (deps: {
  config: Config;
  query: Query;
  dispatch: Dispatch;
  clock: Clock;
  draws: Draws;
  log: Log;
}) => {
  const { config } = deps;
  const anywhere = config.WEBHOOKS_ALLOW_PRIVATE;
  const targets = { plain: config.NODE_ENV !== "production", anywhere };
  const commands = createEndpointCommands(deps);
  return {
    commands,
    targets,
    outbox: createOutbox({ ...deps, commands, failingMs: config.WEBHOOK_DISABLE_AFTER_MS }),
    effects: (more: { factLog: FactLog; render: Render }): Record<string, EffectHandler> =>
      createDeliveryEffects({
        ...deps,
        ...more,
        source: config.PUBLIC_URL,
        lookup: createCheckedLookup(resolveByDns, anywhere ? () => true : isPublicAddress),
        targets,
        timeoutMs: config.WEBHOOK_TIMEOUT_MS,
      }),
  };
};
export type WebhooksOut = ReturnType<typeof createWebhooksOut>;
