const HOUR_MS = 3600_000;

type Fields = { retry_after?: unknown; detail?: unknown } | null | undefined;

const secondsIn = (body: unknown): number | undefined => {
  const fields = body as Fields;
  const said = fields?.retry_after ?? (fields?.detail as Fields)?.retry_after;
  const seconds = typeof said === "string" && said.trim() !== "" ? Number(said) : said;
  return typeof seconds === "number" && Number.isFinite(seconds) ? seconds : undefined;
};

/** Milliseconds from now, or undefined when the header is neither seconds nor a date. */
const inHeader = (header: string, now: number): number | undefined => {
  if (/^\d+(\.\d+)?$/.test(header)) return Number(header) * 1000;
  const date = header === "" ? Number.NaN : Date.parse(header);
  return Number.isNaN(date) ? undefined : date - now;
};

/**
 * How long the provider asks us to wait, in milliseconds, 0 to one hour: the `Retry-After` header as seconds or as
 * an HTTP date, else `retry_after` seconds in the JSON body (also within `detail`). Undefined when it does not say.
 */
export const retryAfterMs = (headers: Headers, body: unknown, now: number): number | undefined => {
  const seconds = secondsIn(body);
  const asked =
    inHeader(headers.get("retry-after")?.trim() ?? "", now) ?? (seconds === undefined ? undefined : seconds * 1000);
  return asked === undefined ? undefined : Math.min(HOUR_MS, Math.max(0, Math.ceil(asked)));
};
