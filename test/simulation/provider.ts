/** A provider as one node sees it: over a way that loses, delays and breaks. */
import type { Provider } from "../../src/ports.ts";
import type { Gate } from "./gate.ts";
import { ask, type Mishap, type World } from "./line.ts";
import { PROVIDERS, type ProviderName, RATES, type Upstream } from "./upstream.ts";

const RESET = new Error("the connection was reset");

/** How calls to the outside go wrong: before they arrive, after they took effect, or by taking too long. */
export const createMishaps =
  ({ random, weather }: World, slowestMs: number) =>
  (): Mishap => {
    if (weather.rates().lostAnswers === 0) return {};
    const draw = random.next();
    if (draw < 0.02) return { before: RESET };
    if (draw < 0.05) return { after: RESET };
    if (draw < 0.09) return { slowMs: random.between(0, slowestMs) };
    if (draw < 0.1) return { lateMs: random.between(0, 8_000) };
    return {};
  };

/** A node's client of one provider. */
export const createProvider = (
  world: World,
  gate: Gate,
  node: number,
  name: ProviderName,
  upstream: Upstream,
): Provider => {
  const mishap = createMishaps(world, 25_000);
  const call = <T extends { kind: string }>(what: string, answer: () => T) => {
    const happen = () => {
      const outcome = answer();
      world.trace.note(what, node, JSON.stringify(outcome));
      return outcome;
    };
    return ask(world, gate, { name: what, happen, mishap });
  };
  return {
    name,
    capabilities: PROVIDERS[name],
    rates: RATES[name],
    submit: (generation) => call("submit", () => upstream.submit(name, generation)),
    find: (attempt) => call("find", () => upstream.find(attempt)),
    check: (ref) => call("check", () => upstream.check(name, ref)),
    cancel: (ref) => call("cancel", () => upstream.cancel(name, ref)),
    download: () => Promise.reject(new Error("the simulation stores no bytes")),
  };
};
