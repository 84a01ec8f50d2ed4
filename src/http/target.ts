// Where Elysia starts to look for the path: behind the shortest `https://` origin it expects.
const ORIGIN_END = 11;

/**
 * The path and the query of a request exactly as Elysia routes it. A `URL` would throw for a malformed
 * Host, and where the two disagreed a check of ours could look at another path than the one that runs.
 */
export const targetOf = ({ url }: Request): { path: string; query: string } => {
  const start = url.indexOf("/", ORIGIN_END);
  if (start < 0) return { path: "", query: "" };
  const mark = url.indexOf("?", start + 1);
  return mark < 0 ? { path: url.slice(start), query: "" } : { path: url.slice(start, mark), query: url.slice(mark) };
};
