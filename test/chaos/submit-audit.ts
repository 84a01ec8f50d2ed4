/**
 * Compares the provider's books with ours, and trusts neither the machine nor the adapters: a billable submit is
 * matched with its job by the number in its prompt, and with its attempt by the instant of the commit before it.
 */
import assert from "node:assert/strict";
import type { Sql } from "../../src/db/connect.ts";
import type { Bill } from "../emulators/kit.ts";
import type { Target } from "./submit-providers.ts";

type Job = {
  id: string;
  number: number;
  status: string;
  state: string;
  ended: boolean;
  parked: boolean;
  attempts: number;
  attempt: string;
  ref: string | null;
  code: string | null;
  outputs: number;
  /** Instants (ms) at which an attempt was committed, before its submit. */
  begun: number[];
  orphaned: string[];
  notSent: number;
};

/** One line of the table. `billed`: how many of the unknown ones were billed. */
export type Account = {
  provider: string;
  strikes: number;
  jobs: number;
  attempts: number;
  notSent: number;
  bills: number;
  adopted: number;
  orphans: number;
  unknown: number;
  billed: number;
  doubles: number;
};

/** What the server's clock, set by the database's, and the emulator's may differ by on a busy machine. */
const CLOCKS_MS = 500;
const NUMBER = /number (\d+)/;
const numberIn = (text: string) => Number(NUMBER.exec(text)?.[1] ?? Number.NaN);

const readJobs = async (sql: Sql): Promise<Job[]> => {
  const rows = await sql`
    select a.id, j.prompt, a.status, a.state, a.finished_at is not null as ended, a.parked_at is not null as parked,
      (a.snapshot->'context'->>'attempts')::int as attempts, a.snapshot->'context'->>'attempt' as attempt,
      a.snapshot->'context'->>'ref' as ref, a.snapshot->'context'->'error'->>'code' as code,
      (select count(*)::int from outputs o where o.job_id = a.id) as outputs,
      (select array_agg(extract(epoch from t.at)::float8 * 1000) from transitions t
        where t.actor_id = a.id and t.effects ? 'submit') as begun,
      (select count(*)::int from transitions t where t.actor_id = a.id and t.event = 'notSent') as "notSent",
      (select array_agg(f.data->>'ref') from facts f
        where f.actor_id = a.id and f.type = 'job.orphaned') as orphaned
    from actors a join jobs j on j.id = a.id`;
  return rows.map(({ prompt, begun, orphaned, ...row }) => ({
    ...(row as Omit<Job, "number" | "begun" | "orphaned">),
    number: numberIn(prompt),
    begun: begun ?? [],
    orphaned: orphaned ?? [],
  }));
};

/** Of a job or a batch with one name for the whole of it: what happened, for whoever reads a failure. */
const storyOf = async (sql: Sql, job: Job | undefined, bills: readonly Bill[]) => {
  const rows = await sql`select version, at, event, to_state, folded from transitions
    where actor_id = ${job?.id ?? null} order by version`;
  const steps = rows.map(
    ({ version, at, event, to_state, folded }) => `${version} ${at} ${event} → ${to_state} ${folded}`,
  );
  return [JSON.stringify(job), ...steps, ...bills.map((bill) => JSON.stringify(bill))].join("\n");
};

const isNamed = (ref: string | null, bill: Bill) => ref?.split(/[ /]/).includes(bill.id) ?? false;

/** Whether what a bill says of its origin, if anything, is the job's own. */
const isOwn = ({ key, webhook }: Bill, { attempt }: Job) =>
  (key === null || key === attempt) && (webhook === null || webhook.includes(attempt));

export type Expected = {
  strikes: number;
  ordered: number;
  /** Longest from the commit of an attempt to the arrival of its submit, ms. */
  sentWithinMs: number;
};

/** Fails with the story of the first job that breaks the law, else gives its line of the table. */
export const audit = async (sql: Sql, { name, emulator, endingOf }: Target, expected: Expected): Promise<Account> => {
  const jobs = await readJobs(sql);
  const { ledger } = emulator;
  const billsOf = Map.groupBy(ledger, ({ body }) => numberIn(JSON.stringify(body)));
  const byNumber = new Map(jobs.map((job) => [job.number, job]));
  const told = async (job: Job | undefined, what: string) =>
    `${name}: ${what}\n${await storyOf(sql, job, billsOf.get(job?.number ?? Number.NaN) ?? [])}`;
  const fail = async (job: Job | undefined, what: string) => assert.fail(await told(job, what));

  let [adopted, orphans, billed, doubles] = [0, 0, 0, 0];
  assert.equal(jobs.length, expected.ordered, `${name}: every order is one job`);
  for (const [number, bills] of billsOf) {
    const job = byNumber.get(number);
    const [bill] = bills;
    if (!job || !bill) return fail(job, `a bill of no job: ${JSON.stringify(bills)}`);
    // An attempt that may have been billed is the last one: another would be a second picture.
    doubles += bills.length - 1;
    if (bills.length > 1) continue;
    const latest = Math.max(...job.begun);
    const tookMs = bill.at - latest;
    if (!isOwn(bill, job)) await fail(job, "a bill of another attempt");
    if (tookMs < -CLOCKS_MS || (expected.sentWithinMs && tookMs > expected.sentWithinMs && bill.key === null)) {
      await fail(job, `sent ${tookMs} ms after its commit`);
    }
    if (isNamed(job.ref, bill)) adopted += 1;
    else if (job.orphaned.some((ref) => isNamed(ref, bill))) {
      orphans += 1;
      if (endingOf(bill.id) === undefined) await fail(job, "an orphan that goes on");
    } else if (job.code === "submit_unknown") billed += 1;
    else await fail(job, "a bill that nobody knows of");
  }
  const unknown = jobs.filter(({ code }) => code === "submit_unknown");
  for (const job of jobs) {
    const bills = billsOf.get(job.number) ?? [];
    if (!job.ended || job.parked) await fail(job, "a job that has not ended");
    if (job.begun.length !== job.attempts) await fail(job, "an attempt without its commit");
    if (job.ref === null && job.status === "SUCCEEDED") await fail(job, "a picture from nowhere");
    if (job.ref !== null && bills.length === 0) await fail(job, "a ref that was never billed");
    // A node that stands still may lose the race with the deadline; then the provider was told to stop.
    const stopped = job.status === "TIMEOUT" && bills.every(({ id }) => endingOf(id) === "canceled");
    if (job.ref !== null && !stopped && (job.status !== "SUCCEEDED" || job.outputs !== 1))
      await fail(job, "a picture that was lost");
    if (job.ref === null && !["submit_unknown", "not_sent"].includes(job.code ?? "")) await fail(job, "no good reason");
  }
  return {
    provider: name,
    strikes: expected.strikes,
    jobs: jobs.length,
    attempts: jobs.reduce((sum, { attempts }) => sum + attempts, 0),
    notSent: jobs.reduce((sum, { notSent }) => sum + notSent, 0),
    bills: ledger.length,
    adopted,
    orphans,
    unknown: unknown.length,
    billed,
    doubles,
  };
};
