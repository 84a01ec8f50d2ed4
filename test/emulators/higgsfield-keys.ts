import type { Asked, Reply } from "./kit.ts";

/** JSON whose field order does not matter; array order and null do. */
const canonical = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(canonical)
    : typeof value === "object" && value !== null
      ? Object.fromEntries(
          Object.entries(value)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([name, each]) => [name, canonical(each)]),
        )
      : value;

/** What must be the same for the same key: endpoint, body, webhook, expiry. */
const wordsOf = ({ path, json, query, headers }: Asked) =>
  JSON.stringify([path, canonical(json), query.get("hf_webhook"), headers.get("hf-expires-after")]);

/** Idempotency keys: remembered with the request that they were used for, only once that was accepted. */
export const createKeys = () => {
  const used = new Map<string, { words: string; id: string }>();
  return {
    /** The id that this submit was accepted as before; a refusal when its key was used for something else. */
    seen(asked: Asked): { id: string } | { refusal: Reply } | null {
      const key = asked.headers.get("idempotency-key");
      if (key === null) return null;
      if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
        return { refusal: { status: 422, json: { detail: "Idempotency-Key is not valid" } } };
      }
      const before = used.get(key);
      if (!before) return null;
      if (before.words === wordsOf(asked)) return { id: before.id };
      return { refusal: { status: 422, json: { detail: "Idempotency-Key was used with different parameters" } } };
    },
    remember(asked: Asked, id: string): void {
      const key = asked.headers.get("idempotency-key");
      if (key !== null) used.set(key, { words: wordsOf(asked), id });
    },
  };
};
