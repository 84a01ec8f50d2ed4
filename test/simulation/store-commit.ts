/** `commit_units` of `sql/migrations`, statement by statement, over tables in memory. */
import { grantOf, openAccount, type PauseOrder, pauseAccount, takeTokens } from "./store-accounts.ts";
import { byText, type Dealing, letterKey, type Row, sqlError, type Tables, turnKey } from "./tables.ts";

type ActorItem = {
  u: number;
  id: string;
  expect: number;
  kind: string;
  machine_version: number;
  state: string;
  from_state: string | null;
  status: string | null;
  snapshot: { context?: { attempt?: string | null; ref?: string | null } };
  wake_at: string | null;
  owner_id: string;
  stream_id: string;
  account: string | null;
  at: string;
  finished_at: string | null;
  parked_reason: string | null;
  slots: number;
  turns: number;
  pause: PauseOrder | null;
  opens: boolean;
  event: string;
  folded: string[];
  reason: string | null;
  effects: string[];
};
type UnitItem = {
  u: number;
  unit: string;
  user_id: string | null;
  route: string;
  key: string | null;
  body_hash: string;
  status: number;
  answer: unknown;
};
type LetterItem = { u: number; target: string; source: string; source_version: number; n: number };
type FactItem = {
  u: number;
  ord: number;
  stream_id: string;
  owner_id: string;
  id: string;
  type: string;
  at: string;
  actor_kind: string;
  actor_id: string;
  data: Row;
  traceparent: string | null;
};
export type Group = {
  units: UnitItem[];
  live: unknown[];
  actors: ActorItem[];
  drains: LetterItem[];
  tells: (LetterItem & { event: { type: string } })[];
  facts: FactItem[];
} & Record<string, (Row & { u: number })[]>;

type Outcome = "won" | "version_lost" | "reserve_denied" | "replayed";

const instant = (text: string | null) => (text === null ? null : Date.parse(text));
const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);
const keyOf = ({ user_id, route, key }: UnitItem) => `${user_id} ${route} ${key}`;
/** Tables of the slices that a simulation has no use for. */
const UNUSED = ["live", "users", "chats", "chat_changes", "messages", "options", "attachments", "endpoints"];

/** What a broken database would do; the checker has to notice. */
export type CommitFaults = {
  /** Every version is taken for the expected one. */
  blind?: boolean;
  /** What a group wrote to streams is written once more when it is asked for again. */
  twice?: boolean;
  /** Slots that are given back are lost. */
  leaks?: boolean;
  /** Pauses and rates are not looked at. */
  ungoverned?: boolean;
};

/** Commits a group at `now` and answers as the function of that name does. Throws before anything is changed. */
export const commitUnits = (t: Tables, group: Group, now: number, faults: CommitFaults = {}) => {
  for (const table of UNUSED) if ((group[table] ?? []).length > 0) throw new Error(`the simulation has no ${table}`);
  const outcome: Outcome[] = group.units.map(() => "won");
  const won = ({ u }: { u: number }) => outcome[u - 1] === "won";
  const winners = <T extends { u: number }>(items: T[]): T[] => items.filter(won);
  const lose = ({ u }: { u: number }, how: Outcome) => {
    outcome[u - 1] = how;
  };

  for (const item of group.actors) {
    const found = t.actors.get(item.id)?.version ?? 0;
    if (found !== item.expect && !(faults.blind && found > 0 && item.expect > 0)) lose(item, "version_lost");
  }

  const replays: Row[] = [];
  const keyed = winners(group.units).filter(({ key }) => key !== null);
  for (const item of keyed.toSorted((a, b) => byText(keyOf(a), keyOf(b)) || a.u - b.u)) {
    const { unit, body_hash, status, answer } = item;
    const first = t.idempotency.get(keyOf(item));
    if (!first) t.idempotency.set(keyOf(item), { unit, body_hash, status, answer, created_at: now });
    else if (first.unit !== unit) {
      replays.push({ u: item.u, body_hash: first.body_hash, status: first.status, answer: first.answer });
      lose(item, "replayed");
    }
  }

  const takers = new Map<string, number>();
  const freed = new Map<string, number>();
  for (const { account, slots } of winners(group.actors))
    if (account !== null && slots < 0) freed.set(account, (freed.get(account) ?? 0) + 1);
  const denied = winners(group.actors)
    .filter(({ slots }) => slots > 0)
    .sort((a, b) => a.u - b.u)
    .filter(({ account }) => {
      const found = t.accounts.get(account ?? "");
      const place = (takers.get(account ?? "") ?? 0) + 1;
      takers.set(account ?? "", place);
      if (!found) return true;
      const grant = faults.ungoverned ? place : grantOf(found, now);
      return place > Math.min(found.slots - found.in_use + (freed.get(found.id) ?? 0), grant);
    });
  for (const item of denied) {
    lose(item, "reserve_denied");
    const unit = group.units[item.u - 1];
    if (unit && t.idempotency.get(keyOf(unit))?.unit === unit.unit) t.idempotency.delete(keyOf(unit));
  }

  const actors = winners(group.actors);
  checkKeys(t, group, won);

  // From here on only winners write.

  for (const { u: _, ...row } of winners(group.batches ?? [])) t.batches.set(String(row.id), row);
  for (const { u: _, ...row } of winners(group.jobs ?? [])) t.jobs.set(String(row.id), row);
  for (const { u: _, ...row } of winners(group.outputs ?? [])) {
    const rows = t.outputs.get(String(row.job_id)) ?? [];
    t.outputs.set(String(row.job_id), [...rows, row]);
  }

  for (const item of actors) {
    const before = t.actors.get(item.id);
    const row = {
      id: item.id,
      kind: before?.kind ?? item.kind,
      machine_version: item.machine_version,
      state: item.state,
      status: item.status,
      snapshot: JSON.stringify(item.snapshot),
      version: item.expect + 1,
      wake_at: instant(item.wake_at),
      owner_id: before?.owner_id ?? item.owner_id,
      stream_id: before?.stream_id ?? item.stream_id,
      account: item.account,
      finished_at: before?.finished_at ?? instant(item.finished_at),
      parked_reason: item.parked_reason,
    };
    t.actors.set(item.id, row);
    if (row.finished_at === null) t.live.set(item.id, row);
    else t.live.delete(item.id);
    const { attempt = null, ref = null } = item.snapshot.context ?? {};
    const steps = t.transitions.get(item.id) ?? [];
    t.transitions.set(item.id, steps);
    steps.push({
      version: item.expect + 1,
      at: Date.parse(item.at),
      event: item.event,
      from: item.from_state,
      to: item.state,
      effects: item.effects,
      folded: item.folded,
      committedAt: now,
      attempt,
      ref,
      reason: item.reason,
    });
  }

  for (const item of winners(group.drains)) {
    const left = (t.inbox.get(item.target) ?? []).filter((letter) => letterKey(letter) !== letterKey(item));
    if (left.length > 0) t.inbox.set(item.target, left);
    else t.inbox.delete(item.target);
  }
  for (const { u: _, ...letter } of winners(group.tells)) {
    t.inbox.set(letter.target, [...(t.inbox.get(letter.target) ?? []), { ...letter, created_at: now }]);
  }

  moveReserves(t, actors, now, faults);
  const seqs = appendFacts(t, winners(group.facts));
  return { outcomes: outcome, seqs, replays };
};

const checkKeys = (t: Tables, group: Group, won: (item: { u: number }) => boolean) => {
  for (const letter of group.tells.filter(won)) {
    const taken = t.inbox.get(letter.target)?.some((other) => letterKey(other) === letterKey(letter));
    if (taken) throw sqlError("23505", "the inbox has this letter already");
  }
  for (const row of (group.outputs ?? []).filter(won)) {
    const taken = t.outputs.get(String(row.job_id))?.some(({ position }) => position === row.position);
    if (taken) throw sqlError("23505", "the job has this output already");
  }
};

const moveReserves = (t: Tables, actors: ActorItem[], now: number, faults: CommitFaults) => {
  const moved = actors.filter(({ slots, turns }) => slots !== 0 || turns !== 0);
  const turnOf = ({ account, owner_id }: ActorItem) => t.turns.get(turnKey(account ?? "", owner_id));
  // A newcomer's virtual time starts at the account's, so that idling earns no credit.
  for (const { account, owner_id, turns } of moved) {
    const found = t.accounts.get(account ?? "");
    if (turns <= 0 || !found || t.turns.has(turnKey(found.id, owner_id))) continue;
    const { id, virtual_time } = found;
    t.turns.set(turnKey(id, owner_id), { account: id, owner_id, waiting: 0, virtual_time });
  }
  for (const [account, items] of Map.groupBy(
    moved.filter(({ slots }) => slots !== 0),
    (item) => item.account ?? "",
  )) {
    const found = t.accounts.get(account);
    if (!found) continue;
    const latest = items.flatMap((item) => (item.slots > 0 ? [turnOf(item)?.virtual_time ?? 0] : []));
    found.in_use += sum(items.map(({ slots }) => (faults.leaks && slots < 0 ? 0 : slots)));
    found.virtual_time = Math.max(found.virtual_time, ...latest);
    const starters = items.filter(({ slots }) => slots > 0);
    if (starters[0]) takeTokens(found, starters.length, starters[0].id, now);
  }
  report(t, actors, now);
  for (const [key, items] of Map.groupBy(
    moved.filter(({ turns }) => turns !== 0),
    (item) => turnKey(item.account ?? "", item.owner_id),
  )) {
    const turn = t.turns.get(key);
    const account = t.accounts.get(turn?.account ?? "");
    if (!turn || !account) continue;
    const base = turn.waiting === 0 ? Math.max(turn.virtual_time, account.virtual_time) : turn.virtual_time;
    turn.waiting += sum(items.map(({ turns }) => turns));
    turn.virtual_time = base + items.filter(({ slots, turns }) => slots > 0 && turns < 0).length;
  }
};

/** What was learned of the accounts: of several pauses in one group the probe's word counts, else the longest. */
const report = (t: Tables, actors: ActorItem[], now: number) => {
  const opens = new Set(actors.flatMap(({ id, opens }) => (opens ? [id] : [])));
  for (const account of t.accounts.values())
    if (account.probe !== null && opens.has(account.probe)) openAccount(account, now);
  for (const [id, items] of Map.groupBy(actors, ({ account }) => account ?? "")) {
    const account = t.accounts.get(id);
    if (!account) continue;
    const pauses = items.flatMap(({ id: actor, pause }) => (pause === null ? [] : [{ actor, ...pause }]));
    note(t, items, pauses, now);
    const [first] = pauses.sort(
      (a, b) => Number(b.actor === account.probe) - Number(a.actor === account.probe) || b.ms - a.ms,
    );
    if (first) pauseAccount(account, first, first.actor === account.probe, now);
  }
};

const note = (t: Tables, items: ActorItem[], pauses: NonNullable<Dealing["pauses"]>, at: number) => {
  const starts = items.flatMap(({ id, slots }) => (slots > 0 ? [id] : []));
  const opens = items.flatMap((item) => (item.opens ? [item.id] : []));
  if (starts.length + opens.length + pauses.length === 0) return;
  t.dealings.push({ account: items[0]?.account ?? "", at, starts, opens, pauses });
};

/** Each takes the next seq of its stream and of its owner. */
export const appendFacts = (t: Tables, items: FactItem[]): [number, number, number][] =>
  items
    .toSorted((a, b) => a.ord - b.ord)
    .map(({ u: _, ord, at, ...fact }) => {
      const fresh = { id: fact.stream_id, owner_id: fact.owner_id, seq: 0, published: 0 };
      const stream = t.streams.get(fact.stream_id) ?? fresh;
      t.streams.set(stream.id, stream);
      t.dirty.add(stream);
      const seq = ++stream.seq;
      const owner_seq = (t.users.get(fact.owner_id) ?? 0) + 1;
      t.users.set(fact.owner_id, owner_seq);
      const facts = t.facts.get(stream.id) ?? [];
      t.facts.set(stream.id, facts);
      const row = { ...fact, seq, owner_seq, at: Date.parse(at) };
      facts.push(row);
      if (fact.type === "job.rendered") {
        const key = `${fact.data.model_key} ${fact.data.tool_type}`;
        t.rendered.set(key, [...(t.rendered.get(key) ?? []).slice(-999), row]);
      }
      return [ord, seq, owner_seq];
    });
