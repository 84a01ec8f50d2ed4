import { type Events, openEvents } from "./events.ts";

export type Answer<T> = { status: number; headers: Headers; body: T };

/** What a refusal looks like, see `src/http/problems.ts`. */
export type ProblemBody = {
  type: string;
  title: string;
  status: number;
  detail?: string;
  code: string;
  retryable: boolean;
  instance: string;
  errors?: { path: string; message: string }[];
  request_id: string;
};

type Options = { body?: unknown; headers?: Record<string, string> };

/** HTTP as a client of the API uses it: JSON in, JSON out, nothing thrown for a status. */
export type Client = {
  /** `path` may be a whole URL. The body is parsed when it is JSON, else the text. */
  send<T = unknown>(method: string, path: string, options?: Options): Promise<Answer<T>>;
  get<T = unknown>(path: string, headers?: Record<string, string>): Promise<Answer<T>>;
  post<T = unknown>(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer<T>>;
  /** The head of a live stream, which is then hung up on; of a refusal, the body too. */
  look<T = unknown>(path: string): Promise<Answer<T | null>>;
  /** A live stream, until `signal` aborts. Rejects when it is not one. */
  events(path: string, headers?: Record<string, string>, signal?: AbortSignal): Promise<Events>;
};

const REQUEST_MS = 20_000;

const isJson = (headers: Headers) => /json/.test(headers.get("content-type") ?? "");

/** `base` is asked for every request, so that a server may come back elsewhere. */
export const createClient = (base: () => string, always: Record<string, string> = {}): Client => {
  const open = (method: string, path: string, { body, headers = {} }: Options = {}): Promise<Response> => {
    const raw = typeof body === "string" || body instanceof Uint8Array;
    return fetch(new URL(path, base()), {
      method,
      redirect: "manual",
      headers: { ...always, ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      body: body === undefined ? undefined : raw ? (body as BodyInit) : JSON.stringify(body),
      signal: AbortSignal.timeout(REQUEST_MS),
    });
  };
  const read = async <T>(response: Response): Promise<Answer<T>> => {
    const text = await response.text();
    const parsed = isJson(response.headers) && text !== "" ? JSON.parse(text) : text;
    return { status: response.status, headers: response.headers, body: parsed as T };
  };
  const send = async <T>(method: string, path: string, options?: Options): Promise<Answer<T>> =>
    read(await open(method, path, options));
  return {
    send,
    look: async <T>(path: string): Promise<Answer<T | null>> => {
      const response = await open("GET", path);
      if (!response.headers.get("content-type")?.startsWith("text/event-stream")) return read(response);
      await response.body?.cancel();
      return { status: response.status, headers: response.headers, body: null };
    },
    get: (path, headers) => send("GET", path, { headers }),
    post: (path, body, headers) => send("POST", path, { body, headers }),
    events: (path, headers = {}, signal) => openEvents(new URL(path, base()), { ...always, ...headers }, signal),
  };
};
