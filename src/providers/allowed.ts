/**
 * Whether a URL that a provider returned may be followed. It may when it is on the host of the configured `base`
 * (with the same scheme and port), or is https on a host of `hosts`: `cdn.example.com`, or `*.example.com` for all
 * below it; one without a port means the default port. Over plain http only when `base` is http itself (emulators).
 */
export const isAllowed = (url: URL, base: URL, hosts: readonly string[]): boolean => {
  if (url.username || url.password) return false;
  if (url.protocol === base.protocol && url.host === base.host) return true;
  if (url.protocol !== "https:" && !(url.protocol === "http:" && base.protocol === "http:")) return false;
  return hosts.some((host) =>
    host.startsWith("*.") ? url.host.endsWith(host.slice(1).toLowerCase()) : url.host === host.toLowerCase(),
  );
};
