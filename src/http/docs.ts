import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { swagger } from "@elysiajs/swagger";
import { Elysia } from "elysia";
import { Problem } from "../errors.ts";
import type { SocketDescription } from "./describe.ts";
import { DOCS_PAGE, DOCS_POLICY, ERRORS_PAGE, START_SCRIPT } from "./docs-page.ts";
import { conditional } from "./etag.ts";
import { type OpenApi, refine } from "./openapi.ts";

const ASSETS: Record<string, string> = {
  "swagger-ui.css": "text/css; charset=utf-8",
  "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
  "favicon-32x32.png": "image/png",
  "start.js": "text/javascript; charset=utf-8",
};

const hidden = { detail: { hide: true } };
const page = (html: string) => () =>
  new Response(html, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": DOCS_POLICY,
      "cache-control": "no-cache",
    },
  });

/**
 * The API docs, from this host alone: the page at `/docs`, the error codes at `/docs/errors`, OpenAPI
 * at `/docs/json` and `/openapi.json`, AsyncAPI at `/asyncapi.json`. Routes describe themselves by their schemas and `describe.ts`;
 * `sockets` are those that Elysia has no route for.
 */
export const createDocs = (deps: {
  publicUrl: string;
  version: string;
  sockets?: readonly SocketDescription[];
  asyncapi: Record<string, unknown>;
}) => {
  const { publicUrl, version, sockets = [], asyncapi } = deps;
  const folder = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
  const assets = new Map<string, Promise<{ bytes: Uint8Array<ArrayBuffer>; version: string }>>();
  const load = async (name: string) => {
    const bytes =
      name === "start.js" ? new TextEncoder().encode(START_SCRIPT) : new Uint8Array(await readFile(join(folder, name)));
    return { bytes, version: createHash("sha256").update(bytes).digest("base64url").slice(0, 22) };
  };

  const plugin = swagger({
    path: "/docs",
    documentation: {
      info: {
        title: "Darkroom",
        version,
        description:
          "The backend of a generative-media app. Errors are problem documents with a stable `code`; lists are paged by " +
          "`cursor`; what a client watches comes by server-sent events or WebSocket and resumes from a cursor, and is " +
          "described, with what comes by NATS, by [AsyncAPI](/asyncapi.json).",
      },
      components: {
        securitySchemes: {
          bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
          ticket: { type: "apiKey", in: "query", name: "ticket" },
        },
      },
    },
  });
  const made = plugin.routes.find((route) => route.path === "/docs/json")?.handler as () => OpenApi;
  const openapi = () => refine(made(), { publicUrl, sockets });

  // Mounted so that it sees the app's routes; its page, which needs a CDN, and its document are then replaced.
  return (
    new Elysia({ name: "docs" })
      .use(plugin)
      // Whoever opens the printed address lands where there is something to read.
      .get("/", () => new Response(null, { status: 302, headers: { location: "/docs" } }), hidden)
      .get("/docs", page(DOCS_PAGE), hidden)
      .get("/docs/json", () => openapi(), hidden)
      .get("/openapi.json", () => openapi(), hidden)
      .get("/asyncapi.json", () => asyncapi, hidden)
      .get("/docs/errors", page(ERRORS_PAGE), hidden)
      .get(
        "/docs/assets/:name",
        async ({ params, request }) => {
          const type = Object.hasOwn(ASSETS, params.name) ? ASSETS[params.name] : undefined;
          if (!type) throw new Problem("not_found");
          const loading = assets.get(params.name) ?? load(params.name);
          assets.set(params.name, loading);
          const asset = await loading;
          const { etag, fresh } = conditional(request, asset.version);
          const headers = { etag, "cache-control": "public, max-age=3600", "content-type": type };
          return fresh ? new Response(null, { status: 304, headers }) : new Response(asset.bytes, { headers });
        },
        hidden,
      )
  );
};
