import { type ActorRefFrom, createActor } from "xstate";
import { type BreakerContext, type BreakerPolicy, createBreakerMachine } from "../../machines/breaker.ts";
import type { BreakerCommand } from "../../machines/breaker.words.ts";
import { machineClock } from "../actors/machine-clock.ts";
import type { Query } from "../db/queries.ts";
import type { Log } from "../log.ts";
import type { CheckOutcome, Clock, Provider, SubmitOutcome } from "../ports.ts";

export type BreakerState = "closed" | "open" | "halfOpen";

/** Whether nothing came back that says what the provider thinks of the request. */
const submitFailed = (outcome: SubmitOutcome) =>
  outcome.kind === "ambiguous" || (outcome.kind === "rejected" && outcome.code === "not_sent");
const checkFailed = (outcome: CheckOutcome) => outcome.kind === "unknown" && outcome.throttledMs === undefined;

/** One breaker for each provider of this node, which listens to its calls and pauses its account when it opens. */
export const createBreakers = (deps: {
  policy: BreakerPolicy;
  write: Query;
  clock: Clock;
  log: Log;
  observe(provider: string, state: BreakerState, context: BreakerContext): void;
}) => {
  const { policy, write, clock, log } = deps;
  const breakers = new Map<string, ActorRefFrom<ReturnType<typeof createBreakerMachine>>>();

  const pause = (provider: string, ms: number) => {
    log.warn({ event: "breaker_opened", provider, ms }, "the provider does not answer; submits pause");
    // A hint: when it is lost, the next failures open the breaker again.
    write("pauseAccount", [provider, "breaker_open", ms]).catch((error) =>
      log.warn({ err: error, provider }, "the account could not be paused"),
    );
  };

  const create = (provider: string) => {
    const machine = createBreakerMachine(policy).provide({
      actions: { pauseAccount: (_, { ms }) => pause(provider, ms) },
    });
    const actor = createActor(machine, { clock: machineClock(clock) });
    actor.subscribe(({ value, context }) => deps.observe(provider, value, context));
    breakers.set(provider, actor.start());
    return actor;
  };

  return {
    /** The same provider, whose breaker hears how its calls end. */
    listen: (provider: Provider): Provider => {
      const breaker = create(provider.name);
      const hear = async <O>(call: BreakerCommand["call"], outcome: Promise<O>, isFailure: (outcome: O) => boolean) => {
        const failed = await outcome.then(isFailure, () => true);
        breaker.send({ type: failed ? "failed" : "answered", call });
        return outcome;
      };
      return Object.assign(Object.create(provider) as Provider, {
        submit: (...args: Parameters<Provider["submit"]>) => hear("submit", provider.submit(...args), submitFailed),
        check: (...args: Parameters<Provider["check"]>) => hear("check", provider.check(...args), checkFailed),
      });
    },
    state: (provider: string): BreakerState => breakers.get(provider)?.getSnapshot().value ?? "closed",
    close: () => {
      for (const breaker of breakers.values()) breaker.stop();
    },
  };
};
