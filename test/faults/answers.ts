import type { Answer, Client, ProblemBody } from "../support/client.ts";

/** One request of a customer. `fit`: the statuses that are a success of its kind. */
export type Question = { client: Client; method: string; path: string; body?: unknown; key?: string; fit: number[] };

const MOST_TOLD = 10;

const isUnavailable = ({ status, headers, body }: Answer<unknown>): boolean => {
  const { code, retryable } = (body ?? {}) as Partial<ProblemBody>;
  return (
    status === 503 &&
    code === "unavailable" &&
    retryable === true &&
    headers.get("content-type") === "application/problem+json" &&
    /^[1-9]\d*$/.test(headers.get("retry-after") ?? "")
  );
};

export type Figures = { requests: number; succeeded: number; unavailable: number; other: number; longestMs: number };

/** Figures of several customers. */
export const sumOf = (all: readonly Figures[]): Figures => {
  const sum = (name: keyof Figures) => all.reduce((total, figures) => total + figures[name], 0);
  return {
    requests: sum("requests"),
    succeeded: sum("succeeded"),
    unavailable: sum("unavailable"),
    other: sum("other"),
    longestMs: Math.max(0, ...all.map(({ longestMs }) => longestMs)),
  };
};

/** Asks, and judges what comes back: a success of its kind, or the one refusal that there may be. */
export const createAnswers = () => {
  const figures: Figures = { requests: 0, succeeded: 0, unavailable: 0, other: 0, longestMs: 0 };
  const told: string[] = [];

  const wrong = (question: Question, what: string) => {
    figures.other++;
    if (told.length < MOST_TOLD) told.push(`${question.method} ${question.path}: ${what}`);
    return null;
  };

  /** Counts an answer, and gives it back when it is a success. */
  const judge = <T>(question: Question, answer: Answer<T>, ms: number): Answer<T> | null => {
    figures.requests++;
    figures.longestMs = Math.max(figures.longestMs, Math.round(ms));
    if (question.fit.includes(answer.status)) {
      figures.succeeded++;
      return answer;
    }
    if (!isUnavailable(answer)) return wrong(question, `${answer.status} ${JSON.stringify(answer.body)}`);
    figures.unavailable++;
    return null;
  };

  const timed = async <T>(question: Question, send: () => Promise<Answer<T>>): Promise<Answer<T> | null> => {
    const asked = performance.now();
    try {
      const answer = await send();
      return judge(question, answer, performance.now() - asked);
    } catch (error) {
      figures.requests++;
      return wrong(question, `no answer in ${Math.round(performance.now() - asked)} ms: ${error}`);
    }
  };

  return {
    figures,
    /** What was neither, in words. */
    told,
    ask: <T>(question: Question): Promise<Answer<T> | null> => {
      const { client, method, path, body, key } = question;
      const headers: Record<string, string> = key === undefined ? {} : { "idempotency-key": key };
      return timed(question, () => client.send<T>(method, path, { body, headers }));
    },
    /** Opens a live stream and hangs up. */
    watch: (question: Question): Promise<Answer<unknown> | null> =>
      timed(question, () => question.client.look(question.path)),
  };
};
export type Answers = ReturnType<typeof createAnswers>;
