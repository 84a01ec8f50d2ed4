/** One incarnation of a node: the real engine, relay, tails and feed, over simulated time, ways and neighbours. */
import { createEngine, policyOf } from "../../src/actors/engine.ts";
import type { EffectHandler } from "../../src/actors/effects.ts";
import { createFactLog } from "../../src/facts/log.ts";
import { createRelay } from "../../src/facts/relay.ts";
import { createBreakers } from "../../src/jobs/breakers.ts";
import { createCheckTokens } from "../../src/jobs/check-tokens.ts";
import { createJobEffects } from "../../src/jobs/effects.ts";
import { createHistory } from "../../src/jobs/history.ts";
import { scheduled } from "../../src/jobs/scheduled.ts";
import { outputRows } from "../../src/jobs/commands.ts";
import { createLog } from "../../src/log.ts";
import type { Draws, Storage } from "../../src/ports.ts";
import { createFeed } from "../../src/streams/feed.ts";
import { createTails } from "../../src/streams/tail.ts";
import type { Broker } from "./broker.ts";
import { createGate } from "./gate.ts";
import { createIngest } from "./ingest.ts";
import { createLine, type World } from "./line.ts";
import { createProvider } from "./provider.ts";
import { CONFIG } from "./settings.ts";
import { createSkewedClock } from "./time.ts";
import { PROVIDERS, type ProviderName, type Upstream } from "./upstream.ts";

const log = createLog("silent");

export type Neighbours = {
  world: World;
  draws: Draws;
  upstream: Upstream;
  broker: Broker;
  /** Whether it is the only node. */
  alone: boolean;
  /** A node's answer to one of its effects is on its way once more. */
  answered(job: string, command: { type: string }): void;
};

/** Starts a node. `skew` is how far its clock is off at the moment, ms. */
export const createNode = (number: number, skew: () => number, neighbours: Neighbours) => {
  const { world, draws, upstream, broker } = neighbours;
  const { time } = world;
  const gate = createGate(time);
  const clock = createSkewedClock(time, gate.after, skew);
  const query = createLine(world, gate, number);
  const bus = broker.connect(gate);
  const relay = createRelay({ query, bus, clock, node: draws.id(), log });

  const engine = createEngine({
    config: CONFIG,
    query,
    write: query,
    clock,
    monotonic: time.now,
    draws,
    log,
    alone: neighbours.alone,
    rows: outputRows,
    announce: (facts) => {
      bus.announce(facts);
      relay.hint(new Set(facts.map(({ stream }) => stream)));
    },
    observe: { commit: () => {}, failed: () => {}, effect: () => {}, timer: () => {} },
  });
  const names = Object.keys(PROVIDERS) as ProviderName[];
  const breakers = createBreakers({
    policy: { failures: CONFIG.BREAKER_FAILURES, coolDownMs: CONFIG.BREAKER_COOLDOWN_MS },
    write: query,
    clock,
    log,
    observe: () => {},
  });
  const history = createHistory({ query, clock, pace: policyOf(CONFIG).poll, log });
  const effects = createJobEffects({
    query,
    // Jobs of a simulation have no inputs, and their outputs no bytes.
    storage: {} as Storage,
    kept: async () => false,
    providers: new Map(
      names.map((name) => [name, breakers.listen(createProvider(world, gate, number, name, upstream))]),
    ),
    limits: CONFIG,
    draws,
    tmpDir: "",
    counted: { polls: () => {}, deferred: () => {} },
    checks: createCheckTokens({ write: query, clock }),
    webhookUrl: () => null,
  });
  const twice = (handler: EffectHandler): EffectHandler => ({
    ...handler,
    run: async (call) => {
      const command = await handler.run(call);
      if (command) neighbours.answered(call.actor.id, command);
      return command;
    },
  });
  for (const [name, handler] of Object.entries({
    ...scheduled(effects, history),
    ingest: createIngest(world, gate, draws),
  })) {
    engine.handle({ [name]: twice(handler) });
  }

  const facts = createFactLog(query);
  const tails = createTails({ bus, log: facts, clock, logger: log });
  relay.start();
  // A node that cannot start exits; whoever runs it starts it again.
  engine.start().catch(gate.crash);
  return { number, gate, dispatch: engine.dispatch, feed: createFeed({ tails, log: facts }) };
};
export type Node = ReturnType<typeof createNode>;
