import type { Clock, Draws } from "../ports.ts";
import type { SliceFact } from "./unit.ts";

/** Makes the facts that a slice appends itself: of the present moment, `actorKind` as the type begins. */
export const createSliceFacts =
  ({ clock, draws }: { clock: Clock; draws: Draws }) =>
  (stream: string, owner: string, type: string, actorId: string, data: Record<string, unknown>): SliceFact => ({
    id: draws.id(),
    stream,
    owner,
    type,
    at: clock.now(),
    actorKind: type.slice(0, type.indexOf(".")),
    actorId,
    data,
  });
