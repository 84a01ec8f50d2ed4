/** Customers of the API, who go on whatever happens, and insist on what they ordered with a key. */
import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { createRandom } from "../../src/embedded/simulated/drawing/random.ts";
import type { TestApp } from "../support/app.ts";
import type { Client } from "../support/client.ts";
import { optionsOf, type Said } from "../support/flow.ts";
import { type Follower, follow } from "../support/follower.ts";
import { until } from "../streams/until.ts";
import { type Answers, createAnswers } from "./answers.ts";

const THINK_MS = 60;
const IMAGES = 2;
/** Most jobs fail in the end: drawing costs more than all the rest of a job. */
const TEXTS = [...Array(7).fill("[fail] a red fox"), "a small fox"];
const INSIST_MS = 15_000;

type Created = { job_id: string };
/** What was asked with a key, until it was answered with a success. */
type Wish = { client: Client; answers: Answers; path: string; body: unknown; key: string };

export type Customer = {
  id: string;
  client: Client;
  answers: Answers;
  chats: string[];
  options: string[];
  jobs: string[];
  batches: string[];
};

export type Customers = {
  all: readonly Customer[];
  /** Ids by what was answered: jobs of presses, batches, chats. */
  taken: { jobs: string[]; batches: string[]; chats: string[] };
  followers: ReadonlyMap<string, Follower>;
  /** What was refused with a key so far. */
  owed(): number;
  /** Stops asking. Resolves when nobody waits for an answer. */
  stop(): Promise<void>;
  /** Asks for all that was refused again, with its key, and then once more: the same answer. */
  insist(): Promise<void>;
  close(): Promise<void>;
};

/** `count` users who do one thing after another, with a short pause between, until they are stopped. */
export const openCustomers = async (app: TestApp, count: number, seed: number): Promise<Customers> => {
  const random = createRandom(seed);
  const taken: Customers["taken"] = { jobs: [], batches: [], chats: [] };
  const followers = new Map<string, Follower>();
  const owed: Wish[] = [];
  let over = false;

  const order = async ({ client, answers, path, body, key }: Wish): Promise<string | null> => {
    const answer = await answers.ask<Created>({ client, method: "POST", path, body, key, fit: [202] });
    return answer?.body.job_id ?? null;
  };
  const note = ({ client, path }: Wish, id: string) => {
    if (!path.startsWith("/api")) return void taken.jobs.push(id);
    taken.batches.push(id);
    if (!over) followers.set(id, follow(client, `/api/generate/${id}/stream`));
  };
  const wish = async ({ client, answers }: Customer, path: string, body: unknown): Promise<string | null> => {
    const made: Wish = { client, answers, path, body, key: randomUUID() };
    const id = await order(made);
    if (id === null) owed.push(made);
    else note(made, id);
    return id;
  };

  const startChat = async ({ client, answers, chats }: Customer) => {
    const answer = await answers.ask<{ id: string }>({ client, method: "POST", path: "/chats", body: {}, fit: [201] });
    if (!answer) return;
    const { id } = answer.body;
    taken.chats.push(id);
    chats.push(id);
    followers.set(id, follow(client, `/sse/${id}`));
  };
  const say = async ({ client, answers, chats, options }: Customer) => {
    const path = `/chats/${random.pick(chats)}/messages`;
    const body = { text: random.pick(TEXTS) };
    const answer = await answers.ask<Said>({ client, method: "POST", path, body, fit: [201] });
    const [option] = answer ? optionsOf(answer.body) : [];
    if (option) options.push(option);
  };
  const press = async (customer: Customer) => {
    const id = await wish(customer, `/options/${random.pick(customer.options)}/generate`, {});
    if (id) customer.jobs.push(id);
  };
  const generate = async (customer: Customer) => {
    const id = await wish(customer, "/api/generate", { prompt: random.pick(TEXTS), num_images: IMAGES });
    if (id) customer.batches.push(id);
  };
  const cancel = ({ client, answers, jobs }: Customer) =>
    // Its end may have come first.
    answers.ask({ client, method: "POST", path: `/jobs/${jobs.at(-1)}/cancel`, fit: [202, 409] });
  const rename = ({ client, answers, chats }: Customer) =>
    answers.ask({ client, method: "PATCH", path: `/chats/${chats[0]}`, body: { title: "Foxes" }, fit: [200] });
  const read = ({ client, answers, chats, options, jobs, batches }: Customer) => {
    const paths = ["/chats", "/jobs?limit=20", `/chats/${chats[0]}`, `/chats/${chats[0]}/messages`];
    if (options.length > 0) paths.push(`/options/${random.pick(options)}`);
    if (jobs.length > 0) paths.push(`/jobs/${random.pick(jobs)}`, `/jobs/${random.pick(jobs)}/timeline`);
    if (batches.length > 0) paths.push(`/api/generate/${random.pick(batches)}`);
    return answers.ask({ client, method: "GET", path: random.pick(paths), fit: [200] });
  };
  const watch = ({ client, answers, chats }: Customer) =>
    answers.watch({ client, method: "GET", path: `/sse/${random.pick(chats)}`, fit: [200] });

  const next = (customer: Customer): Promise<unknown> => {
    const { chats, options, jobs } = customer;
    if (chats.length === 0) return startChat(customer);
    const draw = random.next();
    if (draw < 0.08 && chats.length < 4) return startChat(customer);
    if (draw < 0.25 || options.length === 0) return say(customer);
    if (draw < 0.36) return press(customer);
    if (draw < 0.4) return generate(customer);
    if (draw < 0.45 && jobs.length > 0) return cancel(customer);
    if (draw < 0.5) return rename(customer);
    if (draw < 0.55) return watch(customer);
    return read(customer);
  };
  const live = async (customer: Customer) => {
    while (!over) {
      await next(customer);
      await wait(random.between(0, 2 * THINK_MS));
    }
  };

  const all: Customer[] = [];
  for (let n = 0; n < count; n++) {
    const id = randomUUID();
    const client = await app.as(id);
    all.push({ id, client, answers: createAnswers(), chats: [], options: [], jobs: [], batches: [] });
  }
  const lives = all.map(live);

  return {
    all,
    taken,
    followers,
    owed: () => owed.length,
    stop: async () => {
      over = true;
      await Promise.all(lives);
    },
    insist: async () => {
      const again = async (one: Wish) => {
        let id: string | null = null;
        await until(async () => (id = await order(one)) !== null, INSIST_MS);
        note(one, id ?? "");
        await until(async () => (await order(one)) === id, INSIST_MS);
      };
      await Promise.all(owed.splice(0).map(again));
    },
    close: async () => {
      over = true;
      await Promise.all([...lives, ...[...followers.values()].map((one) => one.close())]);
    },
  };
};
