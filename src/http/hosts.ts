import { isLoopback } from "../config.ts";

/** The `Host` a client asked for, in lower case; null when it is malformed. */
export const hostOf = (request: Request): { name: string; host: string } | null => {
  const host = (request.headers.get("host") ?? new URL(request.url).host).toLowerCase();
  const name = /^(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(:\d{1,5})?$/.exec(host)?.[1];
  return name === undefined ? null : { name, host };
};

/**
 * Guards against DNS rebinding: a page that points its own name at this server could otherwise use
 * the demo mode with the visitor's browser. Allowed are the public URL's name and loopback names with
 * any port, and what `ALLOWED_HOSTS` lists; an entry that names a port means that port only.
 */
export const createHostCheck = (config: { PUBLIC_URL: string; ALLOWED_HOSTS?: string }) => {
  const listed = (config.ALLOWED_HOSTS ?? "").toLowerCase().split(",");
  const allowed = new Set([
    new URL(config.PUBLIC_URL).hostname,
    ...listed.map((entry) => entry.trim()).filter(Boolean),
  ]);
  return (request: Request): boolean => {
    const asked = hostOf(request);
    if (!asked) return false;
    return isLoopback(asked.name) || allowed.has(asked.name) || allowed.has(asked.host);
  };
};
