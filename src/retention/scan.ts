import type { Query } from "../db/queries.ts";
import type { Clock, Storage } from "../ports.ts";

const PAGE = 500;

/**
 * Condemns what never had a name: what a node that died had stored, what was uploaded and not used. Lists the whole
 * bucket, a page at a time. `graceMs`: younger objects may be about to get their name. Resolves to how many there were.
 */
export const condemnUnnamed = async (deps: {
  write: Query;
  storage: Pick<Storage, "list">;
  clock: Clock;
  graceMs: number;
  signal?: AbortSignal;
}): Promise<number> => {
  const { write, storage, clock, graceMs, signal } = deps;
  let condemned = 0;
  let page: string[] = [];
  const flush = async () => {
    if (page.length > 0) condemned += (await write("condemnUnnamed", [page, new Date(clock.now())])).length;
    page = [];
  };
  for await (const { key, modified } of storage.list("")) {
    if (signal?.aborted) return condemned;
    if (modified < clock.now() - graceMs) page.push(key);
    if (page.length === PAGE) await flush();
  }
  await flush();
  return condemned;
};
