import type { Law } from "./checker.ts";
import type { Evidence, Fact } from "./evidence.ts";
import type { Watched } from "./watchers.ts";

const isContiguous = (seqs: readonly number[]) => seqs.every((seq, n) => seq === n + 1);
const factsOf = ({ facts }: Pick<Evidence, "facts">) => Map.groupBy(facts, ({ stream }) => stream);

/** The log has no gap and says nothing twice, by stream and by owner. */
export const checkLog: Law = (evidence, accuse) => {
  const { facts, streams, owners } = evidence;
  const logs = factsOf(evidence);
  for (const { id, seq } of streams) {
    const seqs = (logs.get(id) ?? []).map((fact) => fact.seq).sort((a, b) => a - b);
    if (seqs.length !== seq || !isContiguous(seqs)) accuse(`the stream ${id} of ${seq} facts has ${seqs}`);
  }
  const heads = new Set(streams.map(({ id }) => id));
  for (const stream of logs.keys()) if (!heads.has(stream)) accuse(`facts of no stream: ${stream}`);
  if (new Set(facts.map(({ id }) => id)).size !== facts.length) accuse("a fact that was told twice");
  const byOwner = Map.groupBy(facts, ({ owner }) => owner);
  for (const { id, seq } of owners) {
    const seqs = (byOwner.get(id) ?? []).map(({ ownerSeq }) => ownerSeq).sort((a, b) => a - b);
    if (seqs.length !== seq || !isContiguous(seqs)) accuse(`the owner ${id} of ${seq} facts has ${seqs}`);
  }
};

type Place = { stream: string; seq: number; id: string };

/** Of one stream, what is left when all that was seen before is ignored: must be the log, in its order. */
const dedupe = (messages: readonly Place[]): Place[] => {
  let seen = 0;
  return messages.filter(({ seq }) => {
    if (seq <= seen) return false;
    seen = seq;
    return true;
  });
};

const compare = (messages: readonly Place[], logs: ReadonlyMap<string, Fact[]>, accuse: (what: string) => void) => {
  const heard = Map.groupBy(messages, ({ stream }) => stream);
  for (const [stream, log] of logs) {
    const all = heard.get(stream) ?? [];
    const left = dedupe(all);
    const wrong = log.findIndex(({ id, seq }, n) => left[n]?.id !== id || left[n]?.seq !== seq);
    if (wrong >= 0 || left.length !== log.length) {
      accuse(`the stream ${stream} of ${log.length} facts as ${all.map(({ seq }) => seq)}`);
    }
  }
  for (const stream of heard.keys()) if (!logs.has(stream)) accuse(`a stream that there is not: ${stream}`);
};

/** JetStream has the whole log, each stream in its order, and the watermarks say so. */
export const checkPublished: Law = (evidence, accuse) => {
  for (const { id, seq, published } of evidence.streams) {
    if (published !== seq) accuse(`the stream ${id} is published up to ${published} of ${seq}`);
  }
  compare(evidence.published, factsOf(evidence), (what) => accuse(`JetStream has ${what}`));
};

/** Who reads JetStream and ignores what it has had misses nothing, whatever JetStream went through. */
export const checkConsumer: Law = (evidence, accuse) =>
  compare(evidence.heard, factsOf(evidence), (what) => accuse(`a consumer got ${what}`));

/** What a watcher must have seen. */
const wantedBy = ({ stream, job, from }: Watched, logs: ReadonlyMap<string, Fact[]>): Fact[] =>
  (logs.get(stream) ?? []).filter(({ seq, actor }) => seq > from && (job === null || actor === job));

/** Each client saw every event of its stream: on each connection in order, and over all of them once. */
export const checkClients: Law = (evidence, accuse) => {
  const logs = factsOf(evidence);
  for (const watched of evidence.watched) {
    const { stream, job, transport, from, seen, resets } = watched;
    const who = `a client by ${transport} of ${job === null ? stream : `${job} in ${stream}`}`;
    if (from < 0) accuse(`${who} was never greeted`);
    if (resets > 0) accuse(`${who} was told to start over ${resets} times`);
    for (const [connection, events] of Map.groupBy(seen, (event) => event.connection)) {
      const seqs = events.map(({ seq }) => seq);
      if (seqs.some((seq, n) => n > 0 && !(seq > (seqs[n - 1] ?? 0)))) {
        accuse(`${who} got ${seqs} on connection ${connection}, to node ${events[0]?.node}`);
      }
    }
    const wanted = wantedBy(watched, logs);
    const left = dedupe(seen.map(({ seq, id }) => ({ stream, seq, id })));
    const wrong = wanted.findIndex(({ id, seq }, n) => left[n]?.id !== id || left[n]?.seq !== seq);
    if (wrong >= 0 || left.length !== wanted.length) {
      const [had, should] = [seen, wanted].map((all) => all.map(({ seq }) => seq));
      accuse(`${who} saw ${had} of ${should}, from ${from} on`, wanted[wrong]?.actor);
    }
  }
};
