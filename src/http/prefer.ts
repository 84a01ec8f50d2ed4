const MOST_S = 60;

/** The preferences of RFC 7240 in a request's `Prefer` headers, in lower case; of one that comes twice, the first. */
const preferences = (header: string): Map<string, string> => {
  const found = new Map<string, string>();
  for (const [, name = "", quoted, plain] of header.matchAll(
    /(?:^|,)\s*([!#$%&'*+.^_`|~\w-]+)\s*(?:=\s*(?:"([^"]*)"|([^\s,;]*)))?/g,
  )) {
    const key = name.toLowerCase();
    if (!found.has(key)) found.set(key, quoted ?? plain ?? "");
  }
  return found;
};

/** How long a request would rather wait for the end than be told that it is under way, s: at most 60; null: not at all. */
export const readWait = (request: Request): number | null => {
  const wait = preferences(request.headers.get("prefer") ?? "").get("wait");
  return wait !== undefined && /^\d{1,9}$/.test(wait) ? Math.min(Number(wait), MOST_S) : null;
};
