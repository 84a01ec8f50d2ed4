/** One server-sent event; `data` is parsed. `id` is absent for what is not in the log. */
export type ServerEvent = { id?: string; event: string; data: unknown };

/** An open stream of server-sent events. */
export type Events = {
  response: Response;
  /** Everything so far. */
  seen: readonly ServerEvent[];
  /** The next event, taken or not; null at the end. Rejects after `ms`. */
  next(ms?: number): Promise<ServerEvent | null>;
  /** Reads on until one fits. Rejects at the end of the stream, or after `ms`. */
  until(wanted: (event: ServerEvent) => boolean, ms?: number): Promise<ServerEvent>;
  /** Reads on to the end of the stream. Resolves to everything that was seen. */
  rest(ms?: number): Promise<readonly ServerEvent[]>;
  /** Hangs up. */
  close(): void;
};

const PATIENCE_MS = 15_000;

/** Parses a block between two empty lines; null for a comment or a `retry:`. */
const parse = (block: string): ServerEvent | null => {
  const fields = new Map<string, string>();
  for (const line of block.split("\n")) {
    const [, name = "", value = ""] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    if (name) fields.set(name, fields.has(name) ? `${fields.get(name)}\n${value}` : value);
  }
  const data = fields.get("data");
  if (data === undefined) return null;
  const id = fields.get("id");
  return { ...(id === undefined ? {} : { id }), event: fields.get("event") ?? "message", data: JSON.parse(data) };
};

/** Connects, and hangs up when `signal` aborts. Rejects with the status and the body when the answer is no stream. */
export const openEvents = async (
  url: URL,
  headers: Record<string, string> = {},
  signal?: AbortSignal,
): Promise<Events> => {
  const hangUp = new AbortController();
  const either = signal ? AbortSignal.any([hangUp.signal, signal]) : hangUp.signal;
  const response = await fetch(url, { headers, signal: either });
  if (response.status !== 200 || !response.headers.get("content-type")?.startsWith("text/event-stream")) {
    throw new Error(`no stream: ${response.status} ${await response.text()}`);
  }
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  const seen: ServerEvent[] = [];
  const ready: ServerEvent[] = [];
  let buffer = "";

  const within = async <T>(ms: number, wanted: Promise<T>): Promise<T> => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        hangUp.abort();
        const told = seen.map(({ id, event }) => `${id ?? "-"} ${event}`).join(", ");
        reject(new Error(`nothing came in ${ms} ms; seen: ${told}`));
      }, ms);
    });
    return Promise.race([wanted, late]).finally(() => clearTimeout(timer));
  };

  const read = async (): Promise<ServerEvent | null> => {
    while (ready.length === 0) {
      const { done, value } = await reader.read();
      if (done) return null;
      buffer += decoder.decode(value, { stream: true });
      const blocks = buffer.split("\n\n");
      buffer = blocks.pop() ?? "";
      ready.push(...blocks.map(parse).filter((event) => event !== null));
    }
    const event = ready.shift() as ServerEvent;
    seen.push(event);
    return event;
  };
  const next = (ms = PATIENCE_MS) => within(ms, read());

  return {
    response,
    seen,
    next,
    until: (wanted, ms = PATIENCE_MS) =>
      within(
        ms,
        (async () => {
          for (let event = await read(); event; event = await read()) if (wanted(event)) return event;
          throw new Error("the stream ended first");
        })(),
      ),
    rest: (ms = PATIENCE_MS) =>
      within(
        ms,
        (async () => {
          while (await read());
          return seen;
        })(),
      ),
    close: () => hangUp.abort(),
  };
};
