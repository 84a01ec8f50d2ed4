import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { Chat, Chunk, Message } from "../../src/chats/words.ts";
import type { JobDetail } from "../../src/jobs/words.ts";
import type { Client } from "./client.ts";

export type Said = { message: Message; render_chunks: Chunk[] };

/** The ids behind the buttons, in order. */
export const optionsOf = ({ render_chunks }: Said): string[] =>
  render_chunks.flatMap((chunk) => (chunk.type === "button" ? [chunk.option_id] : []));

/** A new chat. */
export const startChat = async (client: Client, title = "Foxes"): Promise<Chat> => {
  const { status, body } = await client.post<Chat>("/chats", { title });
  assert.equal(status, 201);
  return body;
};

/** Says something in a chat. */
export const say = async (client: Client, chat: string, text: string, attachments: string[] = []): Promise<Said> => {
  const { status, body } = await client.post<Said>(`/chats/${chat}/messages`, { text, attachments });
  assert.equal(status, 201, JSON.stringify(body));
  return body;
};

/** Presses an option. Resolves to the job's id. */
export const press = async (client: Client, option: string, key: string = randomUUID()): Promise<string> => {
  const { status, body } = await client.post<{ job_id: string }>(`/options/${option}/generate`, undefined, {
    "idempotency-key": key,
  });
  assert.equal(status, 202, JSON.stringify(body));
  return body.job_id;
};

/** A chat, a message and its first option pressed. The first option of a neutral text is an image. */
export const generate = async (client: Client, text: string) => {
  const chat = await startChat(client);
  const said = await say(client, chat.id, text);
  const [option = ""] = optionsOf(said);
  return { chat: chat.id, option, job: await press(client, option) };
};

export const getJob = async (client: Client, id: string): Promise<JobDetail> => {
  const { status, body } = await client.get<JobDetail>(`/jobs/${id}`);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
};

/** Waits for a job on its own stream until `wanted`, or to its end. Resolves to the job as it is then. */
export const jobWhen = async (
  client: Client,
  id: string,
  wanted: (job: JobDetail) => boolean = () => false,
  ms = 20_000,
): Promise<JobDetail> => {
  const events = await client.events(`/jobs/${id}/stream`);
  const until = performance.now() + ms;
  try {
    // A snapshot has `cursor` beside `data`, an event is an envelope around it: both hold the job in `data`.
    for (let event = await events.next(ms); event; event = await events.next(until - performance.now())) {
      if (wanted((event.data as { data: JobDetail }).data)) break;
    }
  } finally {
    events.close();
  }
  return getJob(client, id);
};
