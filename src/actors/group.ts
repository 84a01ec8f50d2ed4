import type { Row, Rows, Unit, UnitOutcome } from "./unit.ts";

const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());

const TABLES = [
  "users",
  "user_changes",
  "chats",
  "chat_changes",
  "messages",
  "options",
  "batches",
  "jobs",
  "attachments",
  "outputs",
  "endpoints",
  "endpoint_changes",
  "endpoint_cursors",
  "endpoint_tries",
  "tombstones",
] as const satisfies (keyof Rows)[];

/** The argument of `commit_units` (sql/migrations): flat arrays, each element naming its unit by ordinal. */
export const encodeGroup = (units: readonly Unit[]): Record<string, Row[]> => {
  const group: Record<string, Row[]> = { units: [], live: [], actors: [], drains: [], tells: [], facts: [] };
  for (const table of TABLES) group[table] = [];
  const push = (list: string, row: Row) => group[list]?.push(row);
  let ord = 0;
  units.forEach((unit, index) => {
    const u = index + 1;
    const idem = unit.idempotency;
    push("units", {
      u,
      unit: unit.id,
      user_id: idem?.userId ?? null,
      route: idem?.route ?? null,
      key: idem?.key ?? null,
      body_hash: idem?.bodyHash ?? null,
      status: idem?.status ?? null,
      answer: idem?.answer ?? null,
    });
    for (const { kind, id } of unit.live) push("live", { u, [`${kind}_id`]: id });
    for (const actor of unit.actors) {
      push("actors", {
        u,
        id: actor.id,
        expect: actor.expect,
        kind: actor.kind,
        machine_version: actor.machineVersion,
        state: actor.state,
        from_state: actor.fromState,
        status: actor.status,
        snapshot: { ...actor.snapshot, labels: actor.labels, traceparent: actor.traceparent },
        wake_at: iso(actor.wakeAt),
        owner_id: actor.owner,
        stream_id: actor.stream,
        account: actor.account,
        at: iso(actor.at),
        finished_at: actor.done ? iso(actor.at) : null,
        parked_reason: actor.parkedReason,
        slots: actor.slots,
        turns: actor.turns,
        pause: actor.report !== null && "pause" in actor.report ? actor.report.pause : null,
        opens: actor.report !== null && "opens" in actor.report,
        event: actor.event,
        folded: actor.folded,
        reason: actor.reason,
        effects: actor.effects.map((effect) => effect.type),
      });
      for (const letter of actor.drains) push("drains", { u, target: actor.id, ...letter });
      actor.tells.forEach(({ to, event }, n) => {
        push("tells", { u, target: to, source: actor.id, source_version: actor.expect + 1, n, event });
      });
      for (const fact of actor.facts) {
        push("facts", {
          u,
          ord: ord++,
          stream_id: actor.stream,
          owner_id: actor.owner,
          id: fact.id,
          type: fact.type,
          at: iso(actor.at),
          actor_kind: actor.kind,
          actor_id: actor.id,
          data: fact.data,
          traceparent: fact.traceparent,
        });
      }
    }
    for (const { source, to, event } of unit.tells) {
      push("tells", { u, target: to, source, source_version: 0, n: 0, event });
    }
    for (const fact of unit.facts) {
      push("facts", {
        u,
        ord: ord++,
        stream_id: fact.stream,
        owner_id: fact.owner,
        id: fact.id,
        type: fact.type,
        at: iso(fact.at),
        actor_kind: fact.actorKind,
        actor_id: fact.actorId,
        data: fact.data,
        traceparent: unit.traceparent,
      });
    }
    for (const table of TABLES) for (const row of unit.rows[table] ?? []) push(table, { u, ...row });
  });
  return group;
};

type Answer = {
  outcomes: UnitOutcome["kind"][];
  seqs: [number, number, number][];
  replays: { u: number; body_hash: string; status: number; answer: unknown }[];
};

/** Deals the answer of `commit_units` out to the units of the group, in their order. */
export const decodeAnswer = (units: readonly Unit[], answer: Answer): UnitOutcome[] => {
  const seqs = new Map(answer.seqs.map(([ord, seq, ownerSeq]) => [ord, { seq, ownerSeq }]));
  let ord = 0;
  return units.map((unit, index) => {
    const count = unit.facts.length + unit.actors.reduce((sum, actor) => sum + actor.facts.length, 0);
    const first = ord;
    ord += count;
    const kind = answer.outcomes[index];
    if (kind === "won") {
      const own = Array.from({ length: count }, (_, n) => seqs.get(first + n));
      if (own.some((seq) => seq === undefined)) throw new Error("the commit lost a fact of a unit that won");
      return { kind, seqs: own as { seq: number; ownerSeq: number }[] };
    }
    if (kind === "replayed") {
      const replay = answer.replays.find(({ u }) => u === index + 1);
      if (!replay) throw new Error("the commit replayed a unit without its answer");
      return { kind, bodyHash: replay.body_hash, status: replay.status, answer: replay.answer };
    }
    if (kind === undefined) throw new Error("the commit answered for fewer units than it was given");
    return { kind };
  });
};
