/** Those who order, cancel and order again, at any node, and insist until somebody has answered. */
import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import type { BatchDetail } from "../../src/batches/words.ts";
import type { Random } from "../../src/embedded/simulated/drawing/random.ts";
import type { JobDetail } from "../../src/jobs/words.ts";
import { type Answer, type Client, createClient } from "../support/client.ts";
import { optionsOf, type Said } from "../support/flow.ts";
import type { Cluster } from "./cluster.ts";

/** What was taken, as the customer was told: `id` is a job's, or a batch's of so many jobs. */
export type Order = { user: string; kind: "press" | "retry" | "batch"; id: string; jobs: number };

/** What can be watched. `job`: only this one's events of the stream are shown there. */
export type Watchable = { user: string; stream: string; job: string | null; path: string };

type Customer = { user: string; client: Client; random: Random; options: string[] };

const AGAIN_MS = 100;
/** From one wish to the next. */
const PAUSE_MS: [from: number, to: number] = [300, 2000];
/** Words that make a chat recommend one model or another. */
const WORDS = ["", ", with seedream", ", with kontext"];
const MODELS = ["nano_banana", "seedream", "flux_schnell", "flux_kontext"];
/** Now and then a prompt asks for another end than a picture. */
const MARKS = ["[fail]", "[moderate]", "[empty]", "[fail-twice]", "[lost]", "[busy]", "[flaky]"];
const MARKED = 0.2;
const FAILOVER = 0.3;
const WATCHED_JOBS = 0.3;
/** Told to come back later, or not told anything: the same again, elsewhere. */
const isPassing = (answer: Answer<unknown> | null) => answer === null || [429, 503].includes(answer.status);

export const createCustomers = (cluster: Cluster, random: Random, watch: (what: Watchable) => void, most: number) => {
  const orders: Order[] = [];
  /** Jobs and batches whose cancel was answered 202. */
  const canceled: string[] = [];
  /** Answers that nobody should ever get. */
  const complaints: string[] = [];
  let ordered = 0;
  let prompts = 0;

  /** The answer, once there is one. `fine`: what may be answered besides a success. */
  const insist = async <T>(client: Client, path: string, body?: unknown, fine: number[] = []): Promise<T | null> => {
    const headers = { "idempotency-key": randomUUID() };
    for (;;) {
      const asked = body === undefined ? client.get<T>(path) : client.post<T>(path, body, headers);
      const answer = await asked.catch(() => null);
      if (answer && answer.status < 300) return answer.body;
      if (answer && fine.includes(answer.status)) return null;
      if (!isPassing(answer)) {
        complaints.push(`${path}: ${answer?.status} ${JSON.stringify(answer?.body)}`);
        return null;
      }
      await wait(AGAIN_MS);
    }
  };

  const promptOf = (random: Random) => {
    const mark = random.chance(MARKED) ? ` ${random.pick(MARKS)}` : "";
    return `A small red fox, number ${++prompts}${mark}`;
  };
  const take = (order: Order, watchable: Watchable | null) => {
    orders.push(order);
    if (watchable) watch(watchable);
  };
  const own = (user: string, job: string): Watchable => ({ user, stream: job, job, path: `/jobs/${job}/stream` });

  const say = async ({ client, user, random, options }: Customer) => {
    const chat = await insist<{ id: string }>(client, "/chats", { title: "Foxes" });
    if (!chat) return;
    for (let n = 0; n < 2; n++) watch({ user, stream: chat.id, job: null, path: `/sse/${chat.id}` });
    const said = await insist<Said>(client, `/chats/${chat.id}/messages`, {
      text: `${promptOf(random)}${random.pick(WORDS)}`,
    });
    const [picture] = said ? optionsOf(said) : [];
    if (picture) options.push(picture);
  };
  const press = async ({ client, user, random, options }: Customer) => {
    if (options.length === 0) return;
    const option = random.pick(options);
    const body = { failover: random.chance(FAILOVER) };
    const pressed = await insist<{ job_id: string }>(client, `/options/${option}/generate`, body);
    if (!pressed) return;
    const job = await insist<JobDetail>(client, `/jobs/${pressed.job_id}`);
    const watchable = { ...own(user, pressed.job_id), stream: job?.chat_id ?? "" };
    take({ user, kind: "press", id: pressed.job_id, jobs: 1 }, random.chance(WATCHED_JOBS) ? watchable : null);
  };
  const batch = async ({ client, user, random }: Customer) => {
    const jobs = random.whole(1, 4);
    const failover = random.chance(FAILOVER);
    const body = { prompt: promptOf(random), num_images: jobs, model_key: random.pick(MODELS), failover };
    const made = await insist<{ job_id: string }>(client, "/api/generate", body);
    if (!made) return;
    const { job_id: id } = made;
    take({ user, kind: "batch", id, jobs }, { user, stream: id, job: null, path: `/api/generate/${id}/stream` });
  };
  const pick = ({ user, random }: Customer): Order | undefined => {
    const mine = orders.filter((order) => order.user === user);
    return mine.length > 0 ? random.pick(mine) : undefined;
  };
  const cancel = async (customer: Customer) => {
    const order = pick(customer);
    if (!order) return;
    const path = order.kind === "batch" ? `/api/generate/${order.id}/cancel` : `/jobs/${order.id}/cancel`;
    // 409: it has ended.
    if (await insist(customer.client, path, {}, [409])) canceled.push(order.id);
  };
  const retry = async (customer: Customer) => {
    const order = pick(customer);
    if (!order) return;
    const { client, user } = customer;
    let id: string | undefined = order.id;
    if (order.kind === "batch") {
      const found = await insist<BatchDetail>(client, `/api/generate/${order.id}`);
      id = found?.results.find(({ status }) => status === "FAILED" || status === "CANCELED")?.job_id;
    }
    if (id === undefined) return;
    const made = await insist<{ job_id: string }>(client, `/jobs/${id}/retry`, {}, [409]);
    if (!made) return;
    const job = await insist<JobDetail>(client, `/jobs/${made.job_id}`);
    take(
      { user, kind: "retry", id: made.job_id, jobs: 1 },
      {
        ...own(user, made.job_id),
        stream: job?.chat_id ?? made.job_id,
      },
    );
  };

  const wish = (customer: Customer): Promise<void> => {
    const { random, options } = customer;
    if (options.length === 0) return say(customer);
    const drawn = random.next();
    if (drawn < 0.06) return say(customer);
    if (drawn < 0.2) return cancel(customer);
    if (drawn < 0.3) return retry(customer);
    return drawn < 0.65 ? press(customer) : batch(customer);
  };

  return {
    orders: orders as readonly Order[],
    canceled: canceled as readonly string[],
    complaints: complaints as readonly string[],
    /** `count` customers, each of whom wants something again and again until the signal aborts. Resolves when all were answered. */
    run: async (count: number, over: AbortSignal) => {
      const one = async (n: number) => {
        const own = random.fork(`customer ${n}`);
        const user = randomUUID();
        const headers = { authorization: `Bearer ${await cluster.token(user)}` };
        const client = createClient(() => own.pick(cluster.nodes).url, headers);
        const customer: Customer = { user, client, random: own, options: [] };
        while (!over.aborted && ordered < most) {
          await wish(customer);
          ordered = orders.reduce((sum, { jobs }) => sum + jobs, 0);
          await wait(own.between(...PAUSE_MS));
        }
      };
      await Promise.all(Array.from({ length: count }, (_, n) => one(n)));
    },
  };
};
export type Customers = ReturnType<typeof createCustomers>;
