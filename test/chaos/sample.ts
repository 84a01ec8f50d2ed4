/** The evidence of a small run in which nothing went wrong, for whoever wants to spoil it. */
import type { Actor, Context, Evidence, Fact, Transition } from "./evidence.ts";

const AT = Date.parse("2026-11-22T10:00:00Z");
const uuid = (n: number) => `00000000-0000-7000-8000-${String(n).padStart(12, "0")}`;

export const OWNER = uuid(1);
export const CHAT = uuid(2);
export const BATCH = uuid(3);
/** A picture in a chat; an orphan of a canceled one; one that nobody knows of; the two of a batch. */
export const [PICTURE, CANCELED, UNKNOWN, FIRST, SECOND] = [10, 11, 12, 13, 14].map(uuid) as [
  string,
  string,
  string,
  string,
  string,
];
const attemptOf = (job: string) => job.replace("7000-8000", "7000-9000");
const keysOf = (job: string) => [`media/${OWNER}/${job}.png`, `media/${OWNER}/${job}.min.webp`];

const context = (job: string, more: Partial<Context> = {}): Context => ({
  ...{ attempt: attemptOf(job), attempts: 1, ref: `gen-${job}`, cancel: null, error: null },
  ...more,
});
const actor = (id: string, stream: string, word: string, more: Partial<Actor> = {}): Actor => ({
  ...{ id, kind: "job", state: word.toLowerCase(), status: word, version: 3, wakeAt: null, finishedAt: AT },
  ...{ parked: null, owner: OWNER, stream, context: context(id) },
  ...more,
});

const factsOf = (stream: string, told: readonly [type: string, actor: string, ref?: string][]): Fact[] =>
  told.map(([type, actor, ref = null], n) => ({
    ...{ stream, seq: n + 1, owner: OWNER, ownerSeq: 0, id: `${stream}/${n + 1}`, type, actor, ref },
    provider: type.startsWith("job.") ? "replicate" : null,
  }));

const historyOf = (actor: string): Transition[] => {
  const step = { actor, at: AT, folded: [], reason: null };
  return [
    { ...step, version: 1, event: "create", to: "queued", effects: [] },
    { ...step, version: 2, event: "start", to: "active.submitting", effects: ["submit"] },
    { ...step, version: 3, event: "ended", to: "ended", effects: [] },
  ];
};

export const makeEvidence = (): Evidence => {
  const facts = [
    ...factsOf(CHAT, [
      ["message.created", CHAT],
      ["job.created", PICTURE],
      ["job.created", CANCELED],
      ["job.accepted", PICTURE],
      ["job.rendered", PICTURE],
      ["job.canceled", CANCELED],
      ["job.orphaned", CANCELED, `gen-${CANCELED}`],
      ["job.succeeded", PICTURE],
      ["job.failed", UNKNOWN],
    ]),
    ...factsOf(BATCH, [
      ["batch.created", BATCH],
      ["job.accepted", FIRST],
      ["job.accepted", SECOND],
      ["job.succeeded", FIRST],
      ["job.succeeded", SECOND],
      ["batch.succeeded", BATCH],
    ]),
  ].map((fact, n): Fact => ({ ...fact, ownerSeq: n + 1 }));
  const actors = [
    actor(PICTURE, CHAT, "SUCCEEDED"),
    actor(CANCELED, CHAT, "CANCELED", { context: context(CANCELED, { ref: null, cancel: "confirmed" }) }),
    actor(UNKNOWN, CHAT, "FAILED", { context: context(UNKNOWN, { ref: null, error: { code: "submit_unknown" } }) }),
    actor(FIRST, BATCH, "SUCCEEDED"),
    actor(SECOND, BATCH, "SUCCEEDED"),
    actor(BATCH, BATCH, "SUCCEEDED", {
      kind: "batch",
      context: { ...context(BATCH), attempt: null, cancelRequested: true, ends: { 0: "SUCCEEDED", 1: "SUCCEEDED" } },
    }),
  ];
  const jobs = [PICTURE, CANCELED, UNKNOWN, FIRST, SECOND];
  const published = facts.map(({ stream, seq, id }) => ({ stream, seq, id }));
  const seenOf = (stream: string, job: string | null) =>
    facts
      .filter((fact) => fact.stream === stream && (job === null || fact.actor === job))
      .map(({ seq, id, type, actor }, n) => ({ connection: n < 3 ? 1 : 2, node: n < 3 ? 0 : 2, seq, id, type, actor }));
  const client = { from: 0, connections: 2, resets: 0 };
  return {
    at: AT,
    actors,
    jobs: jobs.map((id) => {
      const index = [FIRST, SECOND].indexOf(id);
      return { id, batch: index < 0 ? null : BATCH, index: index < 0 ? null : index, prompt: "A small red fox" };
    }),
    outputs: [PICTURE, FIRST, SECOND].map((job) => ({ job, keys: keysOf(job) })),
    transitions: [...jobs, BATCH].flatMap(historyOf),
    facts,
    streams: [
      { id: CHAT, seq: 9, published: 9 },
      { id: BATCH, seq: 6, published: 6 },
    ],
    owners: [{ id: OWNER, seq: facts.length }],
    accounts: [{ id: "replicate", slots: 8, inUse: 0 }],
    waiting: [{ account: "replicate", owner: OWNER, waiting: 0 }],
    letters: [],
    bills: jobs.map((job) => ({
      ...{ provider: "replicate", id: `gen-${job}`, attempt: attemptOf(job), job, at: AT + 100 },
      ending: job === CANCELED ? "canceled" : "completed",
    })),
    published,
    heard: published.map((message, n) => ({ ...message, life: "first", place: n + 1 })),
    watched: [
      { ...client, stream: CHAT, job: null, transport: "sse", seen: seenOf(CHAT, null) },
      { ...client, stream: CHAT, job: PICTURE, transport: "sse", seen: seenOf(CHAT, PICTURE) },
      { ...client, stream: BATCH, job: null, transport: "websocket", seen: seenOf(BATCH, null) },
    ],
    orders: [
      ...[PICTURE, CANCELED, UNKNOWN].map((id) => ({ user: OWNER, kind: "press" as const, id, jobs: 1 })),
      { user: OWNER, kind: "batch", id: BATCH, jobs: 2 },
    ],
    canceled: [CANCELED, BATCH],
    complaints: [],
    errors: [],
    objects: [PICTURE, FIRST, SECOND].flatMap(keysOf),
    halves: 0,
  };
};
