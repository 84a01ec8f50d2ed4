import { Problem } from "../errors.ts";
import { mayWatch, type Principal } from "../http/principal.ts";
import type { OpenSource, Source } from "../streams/source.ts";

type Kind = "chat" | "job" | "batch" | "me";

/**
 * Opens a stream by its name, e.g. `chat:<id>`. Throws `not_found` for what is not theirs, or not what their ticket is
 * for.
 */
export const createSources =
  (sources: Record<Kind, OpenSource>) =>
  async (principal: Principal, name: string): Promise<Source> => {
    const [kind, id = ""] = name.split(":");
    if (!mayWatch(principal, name)) throw new Problem("not_found", "The ticket is not for this stream");
    return sources[kind as Kind](id, principal.userId);
  };
export type Sources = ReturnType<typeof createSources>;
