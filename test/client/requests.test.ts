import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import type { Attachment } from "../../src/attachments/words.ts";
import type { Failure } from "../../src/client/failure.ts";
import { type Progress, upload } from "../../src/client/upload.ts";
import { listen } from "../storage/listener.ts";
import { until } from "../streams/until.ts";

const PARTS = 7;
const PAGE = 3;

/** What the server did, and how it is to behave. */
type Books = {
  asked: string[];
  parts: Map<number, number>;
  completions: unknown[];
  open: number;
  most: number;
  /** How many parts are waited for before the first of them is answered. */
  together: number;
  etags: boolean;
  refuse(path: string): Response | null;
  states: Attachment["state"][];
};

/** Stands in for Darkroom and its storage, so that both can be told how to behave. */
const answer = async (request: Request, origin: string, books: Books): Promise<Response> => {
  const { pathname, search } = new URL(request.url);
  books.asked.push(`${request.method} ${pathname}${search}`);
  const refusal = books.refuse(pathname);
  if (refusal) return refusal;
  if (pathname.startsWith("/s3/")) {
    books.open += 1;
    books.most = Math.max(books.most, books.open);
    const { byteLength } = await request.arrayBuffer();
    if (books.together > 0) await until(() => books.most >= books.together);
    books.open -= 1;
    books.parts.set(Number(pathname.slice(4)), byteLength);
    return new Response(null, { headers: books.etags ? { etag: `"${pathname.slice(4)}"` } : {} });
  }
  if (pathname.endsWith("/complete")) {
    books.completions.push(await request.json().catch(() => null));
    return Response.json({ state: books.states.shift() ?? "ready", error: null });
  }
  const from = Number(new URLSearchParams(search).get("from") ?? 1);
  const parts = Array.from({ length: Math.min(PAGE, PARTS - from + 1) }, (_, n) => ({
    part_number: from + n,
    upload_url: `${origin}/s3/${from + n}`,
  }));
  const next_part = from + PAGE <= PARTS ? from + PAGE : null;
  const { method = "MULTIPART" } = pathname.endsWith("/presign") ? ((await request.json()) as { method?: string }) : {};
  if (method === "PUT") return Response.json({ upload_id: "one", upload_url: `${origin}/s3/1` });
  return Response.json({ upload_id: "one", upload_url: null, part_size: 10, parts, next_part, uploaded: [] });
};

describe("the client's requests", () => {
  let server: Awaited<ReturnType<typeof listen>>;
  let books: Books;
  before(async () => {
    server = await listen((request) => answer(request, server.origin, books));
  });
  after(() => server.close());
  afterEach(() => {
    delete (globalThis as { XMLHttpRequest?: unknown }).XMLHttpRequest;
  });

  const file = new Blob(["x".repeat(10 * PARTS - 4)], { type: "video/mp4" });
  const send = (more: Partial<Books>, options: Partial<Parameters<typeof upload>[1]> = {}) => {
    const fresh = {
      asked: [],
      parts: new Map(),
      completions: [],
      open: 0,
      most: 0,
      together: 0,
      etags: true,
      states: [],
    };
    books = { ...fresh, refuse: () => null, ...more };
    return upload(file, { baseUrl: server.origin, partsAbove: 20, pauseMs: 1, ...options });
  };
  const times = (count: number, path: string, response: () => Response) => {
    let left = count;
    return (asked: string) => (asked.includes(path) && left-- > 0 ? response() : null);
  };

  it("send three parts at a time, of all pages, and name them with their ETags", async () => {
    await send({ together: 3 });
    assert.equal(books.most, 3);
    assert.deepEqual(
      [...books.parts].sort(([a], [b]) => a - b),
      Array.from({ length: PARTS }, (_, n) => [n + 1, n + 1 === PARTS ? 6 : 10]),
    );
    const [{ parts }] = books.completions as [{ parts: { part_number: number; etag: string }[] }];
    assert.deepEqual(new Set(parts.map(({ etag }) => etag)).size, PARTS);
    assert.equal(books.asked.filter((asked) => asked.includes("/parts?from=")).length, 2);
  });

  it("leave it to the server what has arrived where ETags may not be read", async () => {
    await send({ etags: false });
    assert.deepEqual(books.completions, [null]);
  });

  it("are repeated while the other side is busy, as late as it asks", async () => {
    const busy = () => new Response("{}", { status: 503, headers: { "retry-after": "0" } });
    await send({ refuse: times(2, "/s3/4", busy) });
    assert.equal(books.asked.filter((asked) => asked === "PUT /s3/4").length, 3);
    await send({ refuse: times(2, "/presign", busy) });
    await send({ refuse: times(2, "/complete", busy) });
    const began = performance.now();
    const later = () =>
      Response.json({ code: "too_many_uploads", retryable: true }, { status: 429, headers: { "retry-after": "1" } });
    await send({ refuse: times(1, "/presign", later) });
    assert.ok(performance.now() - began > 900);
  });

  it("are not repeated for ever, nor when that is of no use", async () => {
    const fails = async (refuse: Books["refuse"]) => {
      const error = await send({ refuse }, { tries: 3 }).then(
        () => assert.fail("it did not fail"),
        (reason: Failure) => reason,
      );
      return [error.code, error.status, books.asked.filter((asked) => refuse(asked) !== null).length];
    };
    const always = (path: string, status: number) => (asked: string) =>
      asked.includes(path) ? new Response("{}", { status }) : null;
    assert.deepEqual(await fails(always("/s3/2", 500)), ["storage_refused", 500, 3]);
    assert.deepEqual(await fails(always("/s3/2", 403)), ["storage_refused", 403, 1]);
    assert.deepEqual(await fails(always("/complete", 404)), ["unknown", 404, 1]);
  });

  it("ask again while it is being verified, and tell when it has not arrived", async () => {
    await send({ states: ["uploaded", "ready"] });
    assert.equal(books.completions.length, 2);
    await assert.rejects(send({ states: ["issued"] }), { code: "upload_issued" });
    await assert.rejects(send({ states: ["expired"] }), { code: "upload_expired" });
  });

  it("are a page's own where there is one, which tell how far they are", async () => {
    /** What a browser has, over fetch. */
    class Stand {
      upload: { onprogress?(event: { loaded: number }): void } = {};
      onload?: () => void;
      onerror?: () => void;
      onabort?: () => void;
      onloadend?: () => void;
      status = 0;
      #url = "";
      #etag: string | null = null;
      #abort = new AbortController();
      open(_: string, url: string) {
        this.#url = url;
      }
      setRequestHeader() {}
      getResponseHeader() {
        return this.#etag;
      }
      abort() {
        this.#abort.abort();
      }
      async send(body: Blob) {
        this.upload.onprogress?.({ loaded: Math.floor(body.size / 2) });
        try {
          const response = await fetch(this.#url, { method: "PUT", body, signal: this.#abort.signal });
          [this.status, this.#etag] = [response.status, response.headers.get("etag")];
          this.onload?.();
        } catch {
          if (this.#abort.signal.aborted) this.onabort?.();
          else this.onerror?.();
        }
        this.onloadend?.();
      }
    }
    Object.assign(globalThis, { XMLHttpRequest: Stand });
    const seen: Progress[] = [];
    await send({}, { partsAbove: 1000, onProgress: (progress) => seen.push(progress) });
    assert.deepEqual(
      seen.map(({ sent }) => sent),
      [0, file.size / 2, file.size],
    );
    await send({ refuse: times(1, "/s3/1", () => new Response(null, { status: 500 })) }, { partsAbove: 1000 });
    const giving = new AbortController();
    const onProgress = ({ sent }: Progress) => sent > 0 && giving.abort(new Error("no longer"));
    await assert.rejects(send({}, { onProgress, signal: giving.signal }), /no longer/);
  });
});
