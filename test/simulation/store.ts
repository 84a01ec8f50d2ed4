/** A database in memory: the named queries that actors, facts and streams use, each in one indivisible moment. */
import { createAccount, grantOf, leaseChecks, opensAt, pauseAccount } from "./store-accounts.ts";
import { appendFacts, type CommitFaults, commitUnits, type Group } from "./store-commit.ts";
import { type ActorRow, byText, createTables, letterKey, type Row, type Tables, turnKey } from "./tables.ts";
import type { Time } from "./time.ts";

type Params = readonly unknown[];
type Named = Record<string, (params: Params) => object[]>;

const instant = (value: unknown) => (value === null ? null : Number(value));
const rate = (value: unknown) => (value === null || value === undefined ? null : Number(value));
const first = <T>(rows: T[], limit: unknown) => rows.slice(0, Number(limit));
const byWake = (a: ActorRow, b: ActorRow) => (a.wake_at ?? 0) - (b.wake_at ?? 0) || byText(a.id, b.id);
const shown = (row: ActorRow) => ({ ...row, snapshot: JSON.parse(row.snapshot) });

/** Queries of sql/queries/actors.sql. */
const actorQueries = (t: Tables, time: Time, faults: CommitFaults): Named => {
  const dueBefore = (limit: unknown) =>
    [...t.live.values()].filter(({ wake_at }) => wake_at !== null && wake_at < Number(limit)).sort(byWake);
  return {
    // What is done here takes no time: nobody ever holds a lock.
    lockedRows: () => [],
    commitUnits: ([group, payload]) => {
      const known = t.commits.get(String(group));
      if (known) {
        if (faults.twice) appendFacts(t, (JSON.parse(String(payload)) as Group).facts);
        return [{ answer: known.answer }];
      }
      const answer = commitUnits(t, JSON.parse(String(payload)) as Group, time.now(), faults);
      t.commits.set(String(group), { at: time.now(), answer });
      return [{ answer }];
    },
    databaseNow: () => [{ now: time.now() }],
    loadActor: ([id]) => {
      const row = t.actors.get(String(id));
      return row ? [shown(row)] : [];
    },
    loadInbox: ([target]) =>
      (t.inbox.get(String(target)) ?? [])
        .toSorted((a, b) => a.created_at - b.created_at || byText(letterKey(a), letterKey(b)))
        .slice(0, 1000)
        .map(({ source, source_version, n, event }) => ({ source, source_version, n, event: { ...event } })),
    claimOverdue: ([overdue, pinned, limit, ahead, versions]) => {
      const skipped = new Set(pinned as string[]);
      const known = versions as Record<string, number>;
      const due = dueBefore(overdue).filter(
        ({ id, kind, machine_version }) => !skipped.has(id) && machine_version <= (known[kind] ?? 0),
      );
      return first(due, limit).map((row) => {
        row.wake_at = Number(ahead);
        return shown(row);
      });
    },
    dueSoon: ([before, limit]) => first(dueBefore(before), limit).map(({ id, wake_at }) => ({ id, wake_at })),
    interrupted: ([before, after, limit]) =>
      first(
        dueBefore(before)
          .filter(({ id, snapshot }) => id > String(after) && /"timers":\{[^}]*Watchdog\./.test(snapshot))
          .sort((a, b) => byText(a.id, b.id)),
        limit,
      ).map(({ id }) => ({ id })),
    dropLetters: ([target, sources, versions, ns]) => {
      const dropped = new Set(
        (sources as string[]).map((s, i) => `${s} ${(versions as Params)[i]} ${(ns as Params)[i]}`),
      );
      const left = (t.inbox.get(String(target)) ?? []).filter((letter) => !dropped.has(letterKey(letter)));
      if (left.length > 0) t.inbox.set(String(target), left);
      else t.inbox.delete(String(target));
      return [];
    },
    overdueInbox: ([before, limit]) =>
      first(
        [...t.inbox].filter(([, letters]) => letters.some(({ created_at }) => created_at < Number(before))),
        limit,
      ).map(([target]) => ({ target })),
    fixWakeAt: ([id, at, version]) => {
      const row = t.actors.get(String(id));
      if (row && row.version === version) row.wake_at = instant(at);
      return [];
    },
    nextTurns: ([account, limit]) => nextTurns(t, String(account), Number(limit)),
    sweepIdempotency: ([before]) => {
      for (const [key, { created_at }] of t.idempotency) if (created_at < Number(before)) t.idempotency.delete(key);
      return [];
    },
    sweepCommits: ([before]) => {
      for (const [id, { at }] of t.commits) if (at < Number(before)) t.commits.delete(id);
      return [];
    },
    sweepHooks: () => [],
    sweepTickets: () => [],
    ensurePartitions: () => [],
    jobForEffect: ([id]) => [...(t.jobs.has(String(id)) ? [t.jobs.get(String(id)) as Row] : [])],
  };
};

/** Those of them that concern accounts. */
const accountQueries = (t: Tables, time: Time): Named => ({
  ensureAccount: ([id, slots, submits, checks]) => {
    const row = t.accounts.get(String(id)) ?? createAccount(String(id), time.now());
    const rates = { submits_per_minute: rate(submits), checks_per_minute: rate(checks) };
    t.accounts.set(row.id, Object.assign(row, { slots: Number(slots), ...rates }));
    return [];
  },
  freeAccounts: () => {
    const now = time.now();
    const waited = new Set([...t.turns.values()].flatMap((turn) => (turn.waiting > 0 ? [turn.account] : [])));
    return [...t.accounts.values()]
      .filter(({ id, slots, in_use }) => in_use < slots && waited.has(id))
      .map((account) => {
        const opens = opensAt(account, now);
        const free = Math.min(account.slots - account.in_use, grantOf(account, now));
        return { id: account.id, free, opens_in_ms: opens === null ? null : opens - now };
      });
  },
  // Nobody may move: jobs of a simulation have no alternatives.
  stalledJobs: () => [],
  leaseChecks: ([id, wanted]) => {
    const account = t.accounts.get(String(id));
    if (!account) return [{ granted: Number(wanted), wait_ms: 0 }];
    const lease = leaseChecks(account, Number(wanted), time.now());
    t.dealings.push({ account: account.id, at: time.now(), checks: lease.granted });
    return [lease];
  },
  holdChecks: ([id, ms]) => {
    const account = t.accounts.get(String(id));
    if (!account) return [];
    account.check_tokens = 0;
    account.checks_at = Math.max(account.checks_at, time.now() + Number(ms));
    t.dealings.push({ account: account.id, at: time.now(), heldMs: Number(ms) });
    return [];
  },
  pauseAccount: ([id, reason, length]) => {
    const account = t.accounts.get(String(id));
    if (!account) return [];
    const ms = Number(length);
    const order = { reason: String(reason), ms, most_ms: ms, pace_ms: null };
    t.dealings.push({ account: account.id, at: time.now(), pauses: [{ actor: account.probe, ms, pace_ms: null }] });
    pauseAccount(account, order, account.probe !== null, time.now());
    return [];
  },
});

const nextTurns = (t: Tables, account: string, limit: number): object[] => {
  const queued = Map.groupBy(
    [...t.live.values()].filter(
      (row) => row.account === account && row.state === "queued" && row.parked_reason === null,
    ),
    ({ owner_id }) => owner_id,
  );
  return [...t.turns.values()]
    .filter((turn) => turn.account === account && turn.waiting > 0)
    .sort((a, b) => a.virtual_time - b.virtual_time || byText(a.owner_id, b.owner_id))
    .slice(0, limit)
    .flatMap(({ owner_id, virtual_time }) =>
      (queued.get(owner_id) ?? [])
        .sort((a, b) => byText(a.id, b.id))
        .slice(0, limit)
        .map(({ id }, n) => ({ id, owner_id, place: virtual_time + n + 1 })),
    )
    .sort((a, b) => a.place - b.place || byText(a.owner_id, b.owner_id))
    .slice(0, limit)
    .map(({ id }) => ({ id }));
};

/** Queries of sql/queries/facts.sql. */
const factQueries = (t: Tables): Named => {
  /** Streams with facts that no bus has yet: what the partial index gives. */
  const unpublished = () =>
    [...t.dirty].filter((stream) => {
      if (stream.published === stream.seq) t.dirty.delete(stream);
      return stream.published < stream.seq;
    });
  const movePublished = ([ids, seqs]: Params) => {
    (ids as string[]).forEach((id, n) => {
      const stream = t.streams.get(id);
      if (stream) stream.published = Math.max(stream.published, Number((seqs as number[])[n]));
    });
    return [];
  };
  return {
    readFacts: ([stream, seq, limit]) => {
      const facts = t.facts.get(String(stream)) ?? [];
      return first(facts.slice(Math.max(0, Number(seq))), limit);
    },
    completions: ([model, tool, limit]) =>
      first(
        (t.rendered.get(`${model} ${tool}`) ?? []).toSorted((a, b) => b.at - a.at),
        limit,
      ).flatMap(({ data }) =>
        "done_by_ms" in data ? [{ after: Number(data.done_after_ms), by: Number(data.done_by_ms) }] : [],
      ),
    streamHeads: ([ids]) =>
      (ids as string[]).flatMap((id) => {
        const stream = t.streams.get(id);
        return stream ? [{ id, seq: stream.seq }] : [];
      }),
    unpublishedStreams: ([now, limit]) =>
      first(
        unpublished().filter(({ id }) => (t.claims.get(id)?.expires_at ?? 0) <= Number(now)),
        limit,
      ).map(({ id }) => ({ id })),
    claimStreams: ([ids, node, expires, now]) =>
      (ids as string[]).toSorted(byText).flatMap((id) => {
        const claim = t.claims.get(id);
        if (claim && claim.expires_at > Number(now) && claim.node !== node) return [];
        t.claims.set(id, { node: String(node), expires_at: Number(expires) });
        return [{ stream_id: id }];
      }),
    unpublishedFacts: ([ids, limit]) =>
      (ids as string[]).flatMap((id) => {
        const from = t.streams.get(id)?.published ?? 0;
        return first((t.facts.get(id) ?? []).slice(from), limit);
      }),
    movePublished,
    moveUnlocked: movePublished,
    releaseStreams: ([ids, node]) => {
      for (const id of ids as string[]) if (t.claims.get(id)?.node === node) t.claims.delete(id);
      return [];
    },
    rewindPublished: ([limit]) =>
      first(
        [...t.streams.values()].filter(({ published }) => published > 0).sort((a, b) => byText(a.id, b.id)),
        limit,
      ).map((stream) => {
        stream.published = 0;
        t.dirty.add(stream);
        return { id: stream.id };
      }),
    readIncarnation: ([name]) => {
      const known = t.incarnations.get(String(name));
      return known === undefined ? [] : [{ ...known }];
    },
    noteIncarnation: ([name, incarnation, head, losses]) => {
      const known = t.incarnations.get(String(name)) ?? { incarnation: "", head: 0, losses: 0, rewound: 0 };
      if (Number(losses) < known.losses) return [];
      const highest = Number(losses) > known.losses ? Number(head) : Math.max(known.head, Number(head));
      const noted = { incarnation: String(incarnation), head: highest, losses: Number(losses), rewound: known.rewound };
      t.incarnations.set(String(name), noted);
      return [];
    },
    noteRewound: ([name, losses]) => {
      const known = t.incarnations.get(String(name));
      if (known) known.rewound = Math.max(known.rewound, Number(losses));
      return [];
    },
  };
};

export type Store = { tables: Tables; run(name: string, params: Params): object[] };

/** `faults`: what is wrong with the database itself, for whoever wants to see the checker notice. */
export const createStore = (time: Time, faults: CommitFaults = {}): Store => {
  const tables = createTables();
  const queries: Named = {
    ...actorQueries(tables, time, faults),
    ...accountQueries(tables, time),
    ...factQueries(tables),
  };
  return {
    tables,
    run: (name, params) => {
      const query = queries[name];
      if (!query) throw new Error(`the simulated database has no query ${name}`);
      return query(params);
    },
  };
};

/** How many of an owner's jobs wait for a turn, by `turnKey`; counted from the actors, not from the turns. */
export const countTurns = (t: Tables): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const { account, owner_id, state } of t.live.values()) {
    if (account === null || state !== "queued") continue;
    const key = turnKey(account, owner_id);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
};
