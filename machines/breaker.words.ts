import { type Static, Type } from "@sinclair/typebox";
import { literals } from "./job.words.ts";

const call = literals("submit", "check");

/** What a breaker hears of each call: whether the provider gave any answer that could be read. */
export const BreakerCommand = Type.Union([
  Type.Object({ type: Type.Literal("answered"), call }),
  Type.Object({ type: Type.Literal("failed"), call }),
]);
export type BreakerCommand = Static<typeof BreakerCommand>;
