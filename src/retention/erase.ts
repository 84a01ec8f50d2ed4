/**
 * Takes the rows of what was deleted, once it has come to rest: its actors finished, its last facts published.
 *
 *   a job          outputs, transitions, letters, actor, row; its facts, where its stream is its own, else their data
 *   a batch        its jobs, facts, the rest of it
 *   a chat         its jobs, options, messages, facts, the rest of it
 *   an attachment  all at once
 *   an endpoint    its deliveries, facts, the rest of it; a delivery that has ended goes by itself, later
 *   a user         when nothing else of theirs is left: keys and turns; the bare row stays
 *
 * Every statement is a transaction of its own and takes a bounded page; what holds the others together goes last. So
 * whoever dies in the middle leaves what the next one finds, and two nodes at once only share the work. What an object
 * was named by goes in the transaction that condemns the object.
 */
import type { Query } from "../db/queries.ts";
import type { Clock } from "../ports.ts";
import { each } from "./each.ts";

/** Streams are told by then: they look once a second. */
const SETTLE_MS = 3_000;
/** How old a letter to nobody is at least: its reader may be about to be created. */
const LETTER_MS = 60_000;
const SUBJECTS = 20;
const JOBS = 20;
const ROWS = 500;
/** How long it can be seen how a webhook was delivered. */
const DELIVERIES_MS = 30 * 86_400_000;

type Id = { id: string };

/** `durable`: facts have to be published first. `signal` ends it after the statement that is under way. */
export const createErasure = (deps: { write: Query; clock: Clock; durable: boolean; signal: AbortSignal }) => {
  const { clock, durable, signal } = deps;
  const write: Query = (name, params) => {
    signal.throwIfAborted();
    return deps.write(name, params);
  };
  const now = () => new Date(clock.now());
  const ids = (rows: Id[]) => rows.map(({ id }) => id);

  /** Repeats a page until it is the last one, or takes nothing because somebody else is at it. */
  const pages = async (page: () => Promise<unknown[]>, size: number): Promise<void> => {
    while ((await page()).length === size);
  };
  const jobsOf = (owner: string) =>
    pages(async () => write("eraseJobs", [ids(await write<Id>("jobsIn", [owner, JOBS])), now(), false]), JOBS);
  const all = (name: string, id: string) => pages(() => write(name, [id, ROWS]), ROWS);

  const eraseChat = async (id: string) => {
    await jobsOf(id);
    await all("eraseOptions", id);
    await all("eraseMessages", id);
    await all("eraseFacts", id);
    await write("eraseChat", [id]);
  };
  const eraseBatch = async (id: string) => {
    await jobsOf(id);
    await all("eraseFacts", id);
    await write("eraseBatch", [id]);
  };
  const eraseEndpoint = async (id: string) => {
    await all("eraseDeliveries", id);
    await all("eraseFacts", id);
    await write("eraseEndpoint", [id]);
  };
  const found = async (name: string): Promise<string[]> =>
    ids(await write<Id>(name, [new Date(clock.now() - SETTLE_MS), durable, SUBJECTS]));

  /** One round. Resolves to whether there may be more. */
  return async (): Promise<boolean> => {
    const chats = await found("erasableChats");
    await each(chats, eraseChat);
    const batches = await found("erasableBatches");
    await each(batches, eraseBatch);
    const jobs = await found("erasableJobs");
    if (jobs.length > 0) await write("eraseJobs", [jobs, now(), true]);
    const attachments = await found("erasableAttachments");
    if (attachments.length > 0) await write("eraseAttachments", [attachments, now()]);
    const endpoints = await found("erasableEndpoints");
    for (const id of endpoints) await eraseEndpoint(id);
    const deliveries = await write("eraseOldDeliveries", [new Date(clock.now() - DELIVERIES_MS), ROWS]);
    const users = await write("eraseUsers", [new Date(clock.now() - SETTLE_MS), now(), SUBJECTS]);
    await write("eraseLetters", [new Date(clock.now() - LETTER_MS)]);
    const full = [chats, batches, jobs, attachments, endpoints, users].some(({ length }) => length === SUBJECTS);
    return full || deliveries.length === ROWS;
  };
};
