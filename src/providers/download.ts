/**
 * Streams a generated file from where the provider says it is. That address is foreign input: only https, only hosts
 * of the provider, only public addresses, checked again on every redirect. A base URL that is plain http or on loopback
 * (an emulator) loosens exactly that much. The address that was checked is the one connected to, because it is checked
 * in the lookup of the connection itself, which node:http asks on Bun and Deno alike; proxies of the environment,
 * which would look names up by themselves, are heeded by neither.
 */
import http from "node:http";
import https from "node:https";
import type { Readable } from "node:stream";
import ipaddr from "ipaddr.js";
import { Classified } from "../errors.ts";
import type { Provider, RemoteOutput } from "../ports.ts";
import { isAllowed } from "./allowed.ts";
import {
  AddressError,
  createCheckedLookup,
  isPublicAddress,
  type Resolve,
  resolveByDns,
} from "../net/public-address.ts";

/** `retryable`: whether fetching it again may help. */
const CODES = {
  /** Gone, or the link is no longer valid. */
  output_expired: false,
  /** It lies where nothing may be fetched from. */
  output_refused: false,
  /** The host did not answer, or not with the file. */
  output_unavailable: true,
} as const;

export class DownloadError extends Classified {
  constructor(code: keyof typeof CODES, message: string) {
    super(code, CODES[code], message);
  }
}

export type DownloaderDeps = {
  /** The API's base URL; its own host is allowed, too. */
  baseUrl: string;
  /** Hosts of the provider's files. See `isAllowed`. */
  allowedHosts?: readonly string[];
  /** Hard limit until the first byte of the answer. Default 30 s. */
  limitMs?: number;
  resolve?: Resolve;
  /** For the provider's own file hosts that want them: sent only there, and only after a refusal without them. */
  credentials?: { hosts: readonly string[]; headers(): Record<string, string> };
  /** A certificate authority (PEM) to trust instead of the public ones, for tests. */
  ca?: string;
  /** Which addresses may be reached. Default: public ones, or any when the base URL is on loopback. */
  mayReach?: (address: string) => boolean;
};

const MAX_REDIRECTS = 3;
const LIMIT_MS = 30_000;
const REFUSED = [401, 403];
const EXPIRED = [...REFUSED, 404, 410];

const literalOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, "");
const isLoopbackUrl = (url: URL) => {
  const host = literalOf(url);
  return host === "localhost" || (ipaddr.isValid(host) && ipaddr.process(host).range() === "loopback");
};

const failureOf = (error: unknown, host: string) =>
  error instanceof DownloadError
    ? error
    : error instanceof AddressError
      ? new DownloadError("output_refused", error.message)
      : new DownloadError("output_unavailable", `${host}: ${(error as Error).message}`.slice(0, 200));

const HEADERS = { Accept: "*/*", "Accept-Encoding": "identity", "User-Agent": "darkroom" };

const open = (url: URL, options: https.RequestOptions, limitMs: number, signal: AbortSignal) =>
  new Promise<http.IncomingMessage>((resolve, reject) => {
    const request = (url.protocol === "https:" ? https : http).request(url, {
      method: "GET",
      agent: false,
      ...options,
    });
    const give = (error: Error) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      reject(error);
    };
    const timer = setTimeout(() => request.destroy(new Error(`no answer in ${limitMs} ms`)), limitMs);
    const abort = () => request.destroy(new Error("aborted"));
    signal.addEventListener("abort", abort, { once: true });
    request.once("response", (response) => {
      clearTimeout(timer);
      // From here on the signal breaks off the body, and whoever reads it sees the error.
      response.once("close", () => signal.removeEventListener("abort", abort));
      resolve(response);
    });
    request.on("error", give);
    request.once("close", () => give(new Error("closed without an answer")));
    request.end();
  });

/**
 * Makes a provider's `download`. It rejects with `DownloadError`, or with the signal's reason; what breaks later
 * breaks the stream. `size` is the whole length when the host tells it; `mime` is the host's word, else the output's.
 */
export const createDownloader = (deps: DownloaderDeps): Provider["download"] => {
  const { baseUrl, allowedHosts = [], limitMs = LIMIT_MS, resolve = resolveByDns, credentials, ca } = deps;
  const base = new URL(baseUrl);
  const mayReach = deps.mayReach ?? (isLoopbackUrl(base) ? () => true : isPublicAddress);
  const lookup = createCheckedLookup(resolve, mayReach);

  const permit = (url: URL) => {
    const literal = literalOf(url);
    const refused = !isAllowed(url, base, allowedHosts) || (ipaddr.isValid(literal) && !mayReach(literal));
    if (refused) throw new DownloadError("output_refused", `Files are not fetched from ${url.protocol}//${url.host}`);
  };

  const get = async (url: URL, signal: AbortSignal, more = {}) => {
    const response = await open(url, { headers: { ...HEADERS, ...more }, lookup, ca }, limitMs, signal);
    const { statusCode: status = 0, headers } = response;
    if (status !== 200) {
      response.on("error", () => {});
      response.destroy();
    }
    return { response, status, headers };
  };

  const fetchFrom = async (url: URL, signal: AbortSignal, left: number): Promise<http.IncomingMessage> => {
    permit(url);
    let { response, status, headers } = await get(url, signal);
    if (REFUSED.includes(status) && credentials && isAllowed(url, base, credentials.hosts)) {
      ({ response, status, headers } = await get(url, signal, credentials.headers()));
    }
    if (status === 200) return response;
    if (EXPIRED.includes(status)) throw new DownloadError("output_expired", `${url.host} answered HTTP ${status}`);
    const next = headers.location;
    if (status < 300 || status >= 400 || !next || !URL.canParse(next, url)) {
      throw new DownloadError("output_unavailable", `${url.host} answered HTTP ${status}`);
    }
    if (left === 0) throw new DownloadError("output_refused", "Too many redirects");
    return fetchFrom(new URL(next, url), signal, left - 1);
  };

  return async (output: RemoteOutput, signal: AbortSignal) => {
    signal.throwIfAborted();
    if (!URL.canParse(output.url)) throw new DownloadError("output_refused", "The output has no proper URL");
    const url = new URL(output.url);
    try {
      const response = await fetchFrom(url, signal, MAX_REDIRECTS);
      const length = response.headers["content-length"];
      const encoded = response.headers["content-encoding"] ?? "identity";
      const [type] = (response.headers["content-type"] ?? "").split(";");
      const mime = type?.trim() || output.mime;
      return {
        body: response as Readable,
        ...(length !== undefined && encoded === "identity" && { size: Number(length) }),
        ...(mime && { mime }),
      };
    } catch (error) {
      signal.throwIfAborted();
      throw failureOf(error, url.host);
    }
  };
};
