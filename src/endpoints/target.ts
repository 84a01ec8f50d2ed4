import ipaddr from "ipaddr.js";
import { isPublicAddress } from "../net/public-address.ts";

/** What may be an endpoint: `plain` without TLS, too; `anywhere` at addresses that are not public, too. */
export type Targets = { plain: boolean; anywhere: boolean };

/** The address that stands in place of a host name, if one does. */
const literalOf = (url: URL): string | null => {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return ipaddr.isValid(host) ? host : null;
};

/**
 * What is wrong with an endpoint's URL, as far as it can be seen without asking anybody; null: nothing. A host name is
 * looked up, and its addresses are checked, by each connection itself.
 */
export const flawOf = (text: string, { plain, anywhere }: Targets): string | null => {
  if (!URL.canParse(text)) return "Must be a URL";
  const url = new URL(text);
  if (url.protocol !== "https:" && !(plain && url.protocol === "http:")) return "Must be an https URL";
  if (url.username || url.password) return "Must not hold credentials";
  if (url.hash) return "Must not have a fragment";
  const literal = literalOf(url);
  if (!anywhere && literal !== null && !isPublicAddress(literal)) return "Must be at a public address";
  return null;
};
