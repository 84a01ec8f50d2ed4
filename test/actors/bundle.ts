import { v7 } from "uuid";
import type { MachineEvent } from "../../machines/step.ts";
import type { EffectCall, EffectHandler } from "../../src/actors/effects.ts";
import { createEngine } from "../../src/actors/engine.ts";
import { type ActorChange, emptyUnit } from "../../src/actors/unit.ts";
import { type Config, readConfig } from "../../src/config.ts";
import { connect } from "../../src/db/connect.ts";
import { createQueries, loadQueries, type Query } from "../../src/db/queries.ts";
import { createLog } from "../../src/log.ts";
import type { Clock, Fact } from "../../src/ports.ts";
import { cloneDatabase } from "../support/postgres.ts";

/** What a scripted provider answers to each effect; an absent one stays unanswered. */
export type Script = Partial<Record<string, (call: EffectCall) => MachineEvent | null | Promise<MachineEvent | null>>>;

export const realClock: Clock = {
  now: () => Date.now(),
  after: (ms, fire) => {
    const timer = setTimeout(fire, ms);
    return () => clearTimeout(timer);
  },
};

/** Accepts every submit and completes at the first poll. */
export const smooth: Script = {
  submit: ({ params }) => ({ type: "accepted", attempt: params.attempt, ref: `ref-${params.attempt}` }),
  poll: ({ params }) => ({
    type: "polled",
    n: params.n,
    outcome: { kind: "completed", outputs: [{ url: "simulated:x" }] },
  }),
  cancelUpstream: () => ({ type: "cancelAnswered", outcome: "canceled" }),
  ingest: () => ({ type: "ingested", outputs: [] }),
};

const EFFECTS = ["submit", "look", "poll", "cancelUpstream", "abandon", "ingest", "verify", "discard"];

const handlerOf = (script: Script, type: string): EffectHandler => ({
  timeoutMs: 60_000,
  concurrency: 1000,
  run: async (call) => (await script[type]?.(call)) ?? null,
  failed: ({ attempt }, error) =>
    type === "submit" && (error as Error).name === "NotSent" ? { type: "notSent", attempt } : null,
});

export type NodeOptions = {
  script?: Script;
  alone?: boolean;
  clock?: Clock;
  env?: Record<string, string>;
  slots?: number;
  /** Calls a minute. */
  rates?: { submits?: number; checks?: number };
  /** Stand between the node and the database: what is read, and what is committed. */
  read?: (real: Query) => Query;
  write?: (real: Query) => Query;
};

/** A database with as many nodes on it as a test wants. */
export const setup = async () => {
  const database = await cloneDatabase();
  const closers: (() => Promise<unknown>)[] = [];
  const sql = connect(database.url, { max: 4, role: "admin" });
  const owner = v7();
  await sql`insert into users (id) values (${owner})`;

  const node = async (options: NodeOptions = {}) => {
    const config: Config = readConfig({ LOG_LEVEL: "silent", POLL_MIN_MS: "5", POLL_MAX_MS: "10", ...options.env });
    const reads = connect(database.url, { max: 4, role: "read" });
    const writes = connect(database.url, { max: 2, role: "write" });
    const texts = loadQueries();
    const { read: asRead = (real) => real, write: asWritten = (real) => real } = options;
    const query = asRead(createQueries(reads, texts));
    const write = asWritten(createQueries(writes, texts));
    const facts: Fact[] = [];
    const committed: ActorChange[] = [];
    const engine = createEngine({
      config,
      query,
      write,
      clock: options.clock ?? realClock,
      draws: { random: Math.random, id: () => v7() },
      log: createLog("silent"),
      alone: options.alone ?? true,
      rows: (change) => {
        committed.push(change);
        return {};
      },
      announce: (more) => facts.push(...more),
      observe: { commit: () => {}, failed: () => {}, effect: () => {}, timer: () => {} },
    });
    for (const type of EFFECTS) engine.handle({ [type]: handlerOf(options.script ?? smooth, type) });
    await query("ensureAccount", [
      "simulated",
      options.slots ?? 100,
      options.rates?.submits ?? null,
      options.rates?.checks ?? null,
    ]);
    const close = async () => {
      await engine.close();
      await reads.end({ timeout: 1 });
      await writes.end({ timeout: 1 });
    };
    closers.push(close);
    return { engine, query, facts, committed, close };
  };
  type Node = Awaited<ReturnType<typeof node>>;

  /** Creates a job (without the row of the slice) and resolves to its id. */
  const job = async (
    { engine }: Node,
    {
      user = owner,
      stream,
      batch,
      traceparent = null,
    }: { user?: string; stream?: string; batch?: string; traceparent?: string | null } = {},
  ) => {
    const id = v7();
    const unit = emptyUnit(v7());
    unit.actors.push(
      engine.dispatch.create(
        { id, kind: "job", owner: user, stream: stream ?? batch ?? id, account: "simulated", labels: {}, traceparent },
        { account: "simulated", batch: batch ?? null, index: 0, timeoutMs: 60_000 },
      ),
    );
    await engine.dispatch.submit(unit);
    return id;
  };

  return {
    database,
    sql,
    owner,
    node,
    job,
    /** Resolves with the first committed change of an actor whose state matches. */
    reached: async ({ engine }: Node, id: string, state: string | RegExp, ms = 10_000) => {
      const wanted = (found: string) => (typeof state === "string" ? found === state : state.test(found));
      const waiting = engine.watch.until(id, (change) => wanted(change.state), ms);
      const [row] = await sql<{ state: string }[]>`select state from actors where id = ${id}`;
      if (row && wanted(row.state)) {
        waiting.cancel();
        return row.state;
      }
      const change = await waiting.next;
      if (!change) throw new Error(`${id} did not reach ${state}`);
      return change.state;
    },
    actor: async (id: string) => {
      const [row] = await sql<
        {
          state: string;
          version: number;
          wake_at: number | null;
          parked_reason: string | null;
          snapshot: { context: Record<string, unknown> };
        }[]
      >`select state, version, wake_at, parked_reason, snapshot from actors where id = ${id}`;
      if (!row) throw new Error(`no actor ${id}`);
      return row;
    },
    /** The seqs of a stream, in order. */
    seqs: async (stream: string) =>
      (await sql<{ seq: number }[]>`select seq from facts where stream_id = ${stream} order by seq`).map(
        ({ seq }) => seq,
      ),
    [Symbol.asyncDispose]: async () => {
      for (const close of closers) await close();
      await sql.end({ timeout: 1 });
      await database.drop();
    },
  };
};
