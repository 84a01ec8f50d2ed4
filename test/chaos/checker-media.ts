import type { Law } from "./checker.ts";

const MEDIA = /^media\/([\w-]{36})\//;

/**
 * Whatever an output names is there. An object that none names was left by a job that got its picture and did not
 * end well after all; of anybody else it is an orphan.
 */
export const checkMedia: Law = ({ objects, outputs, actors, facts }, accuse) => {
  const there = new Set(objects);
  const named = new Set(outputs.flatMap(({ keys }) => keys));
  for (const { job, keys } of outputs) {
    for (const key of keys) if (!there.has(key)) accuse(`an object that is gone: ${key}`, job);
  }
  const rendered = new Set(facts.filter(({ type }) => type === "job.rendered").map(({ actor }) => actor));
  const spoilt = new Set(
    actors.filter(({ id, status }) => rendered.has(id) && status !== "SUCCEEDED").map(({ owner }) => owner),
  );
  for (const key of objects) {
    const [, owner] = MEDIA.exec(key) ?? [];
    if (owner === undefined) accuse(`an object that has no business here: ${key}`);
    else if (!named.has(key) && !spoilt.has(owner)) accuse(`an object that nothing names: ${key}`);
  }
};
