import { failure, isPassing, unanswered } from "./failure.ts";

/** Slow lines take their time; one that stands still has to be given up some day. */
const LIMIT_MS = 15 * 60_000;

type Put = {
  url: string;
  body: Blob;
  headers: Record<string, string>;
  signal: AbortSignal;
  /** Told how many bytes have left, now and then. */
  onSent(bytes: number): void;
};
type Answer = { status: number; etag: string | null };

const byFetch = async ({ url, body, headers, signal }: Put): Promise<Answer> => {
  const response = await fetch(url, { method: "PUT", headers, body, signal });
  await response.arrayBuffer();
  return { status: response.status, etag: response.headers.get("etag") };
};

/** Only this tells a browser's page how far an upload is. */
const byXhr = ({ url, body, headers, signal, onSent }: Put): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    request.open("PUT", url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => onSent(loaded);
    request.onload = () => resolve({ status: request.status, etag: request.getResponseHeader("etag") });
    request.onerror = () => reject(new Error("the connection failed"));
    request.onabort = () => reject(signal.reason);
    request.onloadend = () => signal.removeEventListener("abort", abort);
    signal.addEventListener("abort", abort);
    if (signal.aborted) reject(signal.reason);
    else request.send(body);
  });

/**
 * Sends bytes to a signed URL, once. Resolves to their ETag, null where a page may not read it. Rejects with a `Failure`.
 */
export const put = async (request: Put): Promise<string | null> => {
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(LIMIT_MS)]);
  const send = typeof XMLHttpRequest === "undefined" ? byFetch : byXhr;
  const { status, etag } = await send({ ...request, signal }).catch((error: unknown) => {
    throw unanswered(error);
  });
  if (status >= 200 && status < 300) {
    request.onSent(request.body.size);
    return etag;
  }
  throw failure(`The storage answered ${status}`, { code: "storage_refused", status, retryable: isPassing(status) });
};
