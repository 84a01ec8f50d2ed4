import dns from "node:dns";
import type { LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";

/** Whether an address is one of the public internet: not private, loopback, link-local, shared, mapped or reserved. */
export const isPublicAddress = (address: string): boolean =>
  // `process` turns an IPv4-mapped IPv6 address into the IPv4 one that would be reached.
  ipaddr.isValid(address) && ipaddr.process(address).range() === "unicast";

export type Resolved = { address: string; family: number };
export type Resolve = (host: string) => Promise<Resolved[]>;

export const resolveByDns: Resolve = (host) => dns.promises.lookup(host, { all: true });

/** An address that may not be reached, or a host without any. */
export class AddressError extends Error {
  override name = "AddressError";
}

/**
 * A `lookup` for node:http that fails unless every address of the host may be reached. It hands on the very
 * addresses that it has checked, so a name that changes its mind between check and connect gains nothing.
 */
export const createCheckedLookup =
  (resolve: Resolve, isAllowed: (address: string) => boolean): LookupFunction =>
  (host, options, done) => {
    resolve(host).then(
      (found) => {
        const [first] = found;
        const refused = found.find(({ address }) => !isAllowed(address));
        if (!first || refused) return done(new AddressError(`${host} is not at a public address`), "", 4);
        if (options.all) return done(null, found);
        return done(null, first.address, first.family);
      },
      (error: Error) => done(error, "", 4),
    );
  };
