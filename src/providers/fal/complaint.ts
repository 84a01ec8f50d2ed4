/**
 * What fal says when something went wrong, in its two formats: a model's `{ detail: [{ loc, msg, type }] }` and the
 * platform's `{ detail, error_type }`. Programs go by the type; the texts are for people.
 */

export type Complaint = {
  /** fal's own word: `error_type`, or the first `type` of the details. */
  type: string | null;
  /** All types of the details. */
  types: string[];
  /** For people, bounded. */
  message: string | null;
  /** Whether fal itself says that this is one of its errors, and not some proxy on the way. */
  structured: boolean;
};

type Fields = Record<string, unknown>;

const MAX_MESSAGE = 300;

const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null;
const text = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);

const describe = ({ loc, msg }: Fields): string | null => {
  const field = Array.isArray(loc) ? loc.filter((part) => part !== "body").join(".") : "";
  const what = text(msg);
  return what && field ? `${field}: ${what}` : what;
};

/** Bounded, and without what signs a URL: an image that could not be loaded is named by its whole address. */
const forPeople = (message: string | null): string | null =>
  message?.replace(/(https?:\/\/[^\s?#]+)[?#][^\s"'<>)]*/g, "$1").slice(0, MAX_MESSAGE) ?? null;

/** Reads an error's headers and parsed body (null when there was no JSON). */
export const complaintIn = (headers: Headers, body: unknown): Complaint => {
  const fields = isFields(body) ? body : {};
  const details = Array.isArray(fields.detail) ? fields.detail.filter(isFields) : [];
  const types = details.flatMap(({ type }) => text(type) ?? []);
  const errorType = text(fields.error_type) ?? text(headers.get("x-fal-error-type"));
  const said = details.flatMap((detail) => describe(detail) ?? []).join("; ") || text(fields.detail);
  return {
    type: errorType ?? types[0] ?? null,
    types,
    message: forPeople(said ?? text(fields.error) ?? text(fields.message)),
    structured: errorType !== null || details.length > 0,
  };
};

/** The account has no balance left. fal says so with a 403 that also other things are answered with. */
export const isLocked = ({ message }: Complaint): boolean => /user is locked|exhausted balance/i.test(message ?? "");

/** The prompt or the picture was refused by a content check. */
export const isModerated = ({ type, types }: Complaint): boolean =>
  [type, ...types].includes("content_policy_violation");
