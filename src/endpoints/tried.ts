import type { DeliveryContext } from "../../machines/delivery.ts";
import type { ActorChange, Rows } from "../actors/unit.ts";

/** Ends of a try that say nothing about the receiver. */
const OURS = new Set(["interrupted", "internal"]);

/** The rows that belong into the commit of a try's end: whether the endpoint works. */
export const triedEndpoints = ({ kind, event, state, stream, snapshot, at }: ActorChange): Rows => {
  if (kind !== "delivery" || (event !== "answered" && event !== "unanswered")) return {};
  const { tries, error } = snapshot.context as unknown as DeliveryContext;
  if (OURS.has(tries.at(-1)?.code ?? "")) return {};
  const taken = state === "succeeded";
  return {
    endpoint_tries: [{ id: stream, taken, gone: error === "gone", at: new Date(at).toISOString() }],
  };
};
