type Route = { method: string; path: string };

const segments = (path: string) => path.replace(/(?<=.)\/$/, "").split("/");

const same = (part: string, given: string | undefined) => part === given || (part.startsWith(":") && given !== "");

const matches = (pattern: string, path: string[]): boolean => {
  const parts = segments(pattern);
  const open = parts.at(-1) === "*";
  const fixed = open ? parts.slice(0, -1) : parts;
  return (
    (open ? path.length >= parts.length : path.length === parts.length) && fixed.every((part, i) => same(part, path[i]))
  );
};

/**
 * The methods that a path has routes for, HEAD beside GET; empty when the path is unknown. Elysia
 * answers a wrong method as not found, so this is how 405 is told from 404.
 */
export const methodsOf = (routes: readonly Route[], path: string): string[] => {
  const given = segments(path);
  const found = routes.filter((route) => route.method !== "OPTIONS" && matches(route.path, given));
  const methods = new Set(found.flatMap(({ method }) => (method === "GET" ? ["GET", "HEAD"] : [method])));
  return [...methods].sort();
};
