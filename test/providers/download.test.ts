import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Readable } from "node:stream";
import { afterEach, describe, it } from "node:test";
import { createDownloader, type DownloaderDeps } from "../../src/providers/download.ts";
import { isPublicAddress } from "../../src/net/public-address.ts";
import { SELF_SIGNED } from "./self-signed.ts";

const never = new AbortController().signal;
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const serve = async (handle: RequestListener, create: (handle: RequestListener) => Server = createServer) => {
  const requests: IncomingMessage[] = [];
  const server = create((incoming, outgoing) => {
    requests.push(incoming);
    handle(incoming, outgoing);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port, requests };
};

const read = async (body: Readable): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
};

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "downloaded",
    (error: { code?: string; name?: string }) => error.code ?? error.name,
  );

/** As in production, but over plain http: names are resolved by a table, and only 127.0.0.1 counts as public. */
const setup = async (handle: RequestListener, more: Partial<DownloaderDeps> = {}) => {
  const server = await serve(handle);
  const table: Record<string, string[]> = { "cdn.example.com": ["127.0.0.1"], "inside.example.com": ["10.0.0.7"] };
  const asked: string[] = [];
  const download = createDownloader({
    baseUrl: "http://api.example.com",
    allowedHosts: [`cdn.example.com:${server.port}`, `inside.example.com:${server.port}`],
    resolve: async (host) => {
      asked.push(host);
      return (table[host] ?? []).map((address) => ({ address, family: 4 }));
    },
    mayReach: (address) => address === "127.0.0.1",
    ...more,
  });
  const get = (url: string, signal = never) => download({ url }, signal);
  return { ...server, get, asked, table, cdn: `http://cdn.example.com:${server.port}` };
};

describe("a download", () => {
  it("streams the bytes, with their size and type, and sends nothing that it knows", async () => {
    const { get, cdn, requests, asked } = await setup((_, outgoing) =>
      outgoing.writeHead(200, { "content-type": "image/png; q=1", "content-length": "5" }).end("hello"),
    );
    const { body, size, mime } = await get(`${cdn}/a.png?sig=1`);
    assert.deepEqual([await read(body), size, mime], ["hello", 5, "image/png"]);
    assert.equal(requests[0]?.url, "/a.png?sig=1");
    assert.equal(requests[0]?.headers.authorization, undefined);
    assert.deepEqual(
      asked,
      ["cdn.example.com"],
      "the address is looked up once: the one checked is the one connected to",
    );
  });

  it("takes the output's type when the host says none, and no size that it does not say", async () => {
    const { url } = await serve((_, outgoing) => outgoing.writeHead(200).end("hello"));
    const download = createDownloader({ baseUrl: url });
    const { body, mime } = await download({ url: `${url}/x`, mime: "video/mp4" }, never);
    assert.deepEqual([await read(body), mime], ["hello", "video/mp4"]);
  });

  it("follows three redirects and checks every one of them", async () => {
    const { get, cdn } = await setup(({ url = "" }, outgoing) => {
      const left = Number(url.slice(1));
      if (left > 0) outgoing.writeHead(302, { location: `/${left - 1}` }).end();
      else outgoing.writeHead(200).end("there");
    });
    assert.equal(await read((await get(`${cdn}/3`)).body), "there");
    assert.equal(await codeOf(get(`${cdn}/4`)), "output_refused");
  });

  it("does not follow a redirect to a place that is not allowed", async () => {
    let to = "";
    const { get, cdn, port, requests } = await setup(({ url }, outgoing) => {
      if (url === "/away") outgoing.writeHead(302, { location: to }).end();
      else outgoing.writeHead(200).end("secret");
    });
    for (to of [
      "http://169.254.169.254/latest/meta-data",
      `http://127.0.0.1:${port}/x`,
      `http://inside.example.com:${port}/x`,
      "file:///etc/passwd",
      "http://evil.example.com/x",
    ]) {
      assert.equal(await codeOf(get(`${cdn}/away`)), "output_refused", to);
    }
    assert.ok(requests.every(({ url }) => url === "/away"));
  });
});

describe("a download over https", () => {
  const secure = async () => {
    const { port, requests } = await serve(
      (_, outgoing) => outgoing.end("hello"),
      (handle) => createSecureServer(SELF_SIGNED, handle),
    );
    const at = (host: string, more: Partial<DownloaderDeps>) =>
      createDownloader({
        baseUrl: "https://api.example.com",
        allowedHosts: [`*.example.com:${port}`],
        resolve: async () => [{ address: "127.0.0.1", family: 4 }],
        mayReach: (address) => address === "127.0.0.1",
        ...more,
      })({ url: `https://${host}:${port}/a` }, never);
    return { at, requests };
  };

  it("goes to the address that was checked, and holds the host there to its own name", async () => {
    const { at, requests } = await secure();
    const trusted = { ca: SELF_SIGNED.cert };
    assert.equal(await read((await at("cdn.example.com", trusted)).body), "hello");
    assert.match(requests[0]?.headers.host ?? "", /^cdn\.example\.com:/);
    assert.equal(await codeOf(at("other.example.com", trusted)), "output_unavailable");
    assert.equal(await codeOf(at("cdn.example.com", {})), "output_unavailable", "nobody vouches for it");
    assert.equal(await codeOf(at("cdn.example.com", { ...trusted, mayReach: () => false })), "output_refused");
    assert.equal(requests.length, 1);
  });
});

describe("a download from a host that wants to know who asks", () => {
  const closed = async (hosts: (port: number) => string[]) => {
    const { port, cdn, requests } = await setup(({ headers, url }, outgoing) => {
      if (url === "/away") outgoing.writeHead(302, { location: "/file" }).end();
      else if (headers.authorization === "Bearer key") outgoing.end("hello");
      else outgoing.writeHead(401).end();
    });
    const download = createDownloader({
      baseUrl: "http://api.example.com",
      allowedHosts: [`cdn.example.com:${port}`],
      resolve: async () => [{ address: "127.0.0.1", family: 4 }],
      mayReach: () => true,
      credentials: { hosts: hosts(port), headers: () => ({ Authorization: "Bearer key" }) },
    });
    return { cdn, requests, get: (url: string) => download({ url }, never) };
  };

  it("asks again with the credentials where they belong, on each hop only after a refusal", async () => {
    const { get, cdn, requests } = await closed((port) => [`cdn.example.com:${port}`]);
    assert.equal(await read((await get(`${cdn}/away`)).body), "hello");
    assert.deepEqual(
      requests.map(({ url, headers }) => [url, headers.authorization]),
      [
        ["/away", undefined],
        ["/file", undefined],
        ["/file", "Bearer key"],
      ],
    );
  });

  it("takes the credentials to no other host", async () => {
    const { get, cdn, requests } = await closed(() => ["own.example.com"]);
    assert.equal(await codeOf(get(`${cdn}/file`)), "output_expired");
    assert.deepEqual(
      requests.map(({ headers }) => headers.authorization),
      [undefined],
    );
  });
});

describe("a download is refused", () => {
  it("from hosts that are not the provider's, and from what is no web address", async () => {
    const { get, port, requests } = await setup((_, outgoing) => outgoing.end("secret"));
    for (const url of [
      `http://evil.example.com:${port}/`,
      `http://cdn.example.com.evil.example:${port}/`,
      `http://user:pass@cdn.example.com:${port}/`,
      `http://127.0.0.1:${port}/`,
      `http://[::ffff:127.0.0.1]:${port}/`,
      `http://2130706433:${port}/`,
      "file:///etc/passwd",
      "data:text/plain,hello",
      "not a url",
    ]) {
      assert.equal(await codeOf(get(url)), "output_refused", url);
    }
    assert.equal(requests.length, 0);
  });

  it("from a host of the provider that points inside, or at nothing, even with one good address", async () => {
    const { get, cdn, port, table, requests } = await setup((_, outgoing) => outgoing.end("secret"));
    assert.equal(await codeOf(get(`http://inside.example.com:${port}/`)), "output_refused");
    for (const addresses of [["127.0.0.1", "10.0.0.7"], ["::1"], []]) {
      table["cdn.example.com"] = addresses;
      assert.equal(await codeOf(get(`${cdn}/`)), "output_refused", addresses.join());
    }
    assert.equal(requests.length, 0);
  });

  it("where a redirect leads to a name that points inside by now", async () => {
    const { get, cdn, table, asked, requests } = await setup((_, outgoing) => {
      table["cdn.example.com"] = ["10.0.0.7"];
      outgoing.writeHead(302, { location: "/secret" }).end();
    });
    assert.equal(await codeOf(get(`${cdn}/`)), "output_refused");
    assert.deepEqual([asked.length, requests.length], [2, 1]);
  });

  it("over plain http when the API is https", async () => {
    const { get, cdn } = await setup((_, outgoing) => outgoing.end("x"), { baseUrl: "https://api.example.com" });
    assert.equal(await codeOf(get(`${cdn}/`)), "output_refused");
  });

  it("from loopback unless the API itself is there", async () => {
    const { url } = await serve((_, outgoing) => outgoing.end("x"));
    const host = new URL(url).host;
    const outside = createDownloader({ baseUrl: "http://api.example.com", allowedHosts: [host] });
    assert.equal(await codeOf(outside({ url }, never)), "output_refused");
    const inside = createDownloader({ baseUrl: url });
    assert.equal(await read((await inside({ url }, never)).body), "x");
  });
});

describe("a download that fails", () => {
  for (const status of [403, 404, 410]) {
    it(`is expired when the host answers ${status}`, async () => {
      const { get, cdn } = await setup((_, outgoing) => outgoing.writeHead(status).end("<Error/>"));
      assert.equal(await codeOf(get(cdn)), "output_expired");
    });
  }

  for (const [what, handle] of Object.entries<RequestListener>({
    "the host is broken": (_, outgoing) => outgoing.writeHead(503).end(),
    "the host breaks off": (incoming) => incoming.socket.destroy(),
    "a redirect leads nowhere": (_, outgoing) => outgoing.writeHead(302).end(),
  })) {
    it(`may be tried again when ${what}`, async () => {
      const { get, cdn } = await setup(handle);
      const error = await get(cdn).then(
        () => null,
        (caught: unknown) => caught as { code: string; retryable: boolean },
      );
      assert.deepEqual([error?.code, error?.retryable], ["output_unavailable", true]);
    });
  }

  it("may be tried again when the host is silent for too long", async () => {
    const { get, cdn } = await setup(() => {}, { limitMs: 50 });
    assert.equal(await codeOf(get(cdn)), "output_unavailable");
  });

  it("breaks the stream when the bytes end early", async () => {
    const { get, cdn } = await setup((incoming, outgoing) => {
      outgoing.writeHead(200, { "content-length": "100" });
      outgoing.write("hello", () => incoming.socket.destroy());
    });
    const { body, size } = await get(cdn);
    assert.equal(size, 100);
    await assert.rejects(read(body));
  });

  it("ends with the signal: before, while it waits, and within the bytes", async () => {
    const { get, cdn } = await setup(({ url }, outgoing) => {
      if (url !== "/bytes") return;
      outgoing.writeHead(200, { "content-length": "100" });
      outgoing.write("hello");
    });
    await assert.rejects(get(cdn, AbortSignal.abort()));
    const waiting = new AbortController();
    const pending = get(cdn, waiting.signal);
    waiting.abort();
    await assert.rejects(pending);
    const within = new AbortController();
    const { body } = await get(`${cdn}/bytes`, within.signal);
    within.abort();
    await assert.rejects(read(body));
  });
});

describe("a public address", () => {
  it("is one of the internet", () => {
    for (const address of ["8.8.8.8", "2606:4700::1111"]) assert.equal(isPublicAddress(address), true, address);
    for (const address of [
      "127.0.0.1",
      "10.1.2.3",
      "172.16.0.1",
      "192.168.1.1",
      "169.254.169.254",
      "100.64.0.1",
      "0.0.0.0",
      "255.255.255.255",
      "224.0.0.1",
      "::1",
      "::",
      "fe80::1",
      "fd00::1",
      "::ffff:10.0.0.1",
      "::ffff:7f00:1",
      "64:ff9b::7f00:1",
      "2002:7f00:1::",
      "localhost",
      "",
    ]) {
      assert.equal(isPublicAddress(address), false, address);
    }
  });
});
