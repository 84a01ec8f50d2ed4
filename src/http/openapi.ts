import { STATUS_CODES } from "node:http";
import { type ErrorCode, errorCatalog } from "../errors.ts";
import type { Description, Extension, SocketDescription } from "./describe.ts";
import { problemType } from "./problems.ts";

type Json = Record<string, unknown>;
type Operation = {
  tags?: string[];
  summary?: string;
  description?: string;
  operationId?: string;
  security?: Json[];
  parameters?: { in: string; name: string; schema?: Json }[];
  requestBody?: { content: Json };
  responses?: Record<string, Json>;
  "x-darkroom"?: Extension;
};
type Paths = Record<string, Record<string, Operation>>;
export type OpenApi = Json & { paths: Paths; components: { schemas?: Json } };

const IDEMPOTENCY_KEY = {
  name: "Idempotency-Key",
  in: "header",
  required: true,
  schema: { type: "string", minLength: 1, maxLength: 255 },
  description: "The same key and body again give the same answer, and nothing is done twice",
};

const PREFER = {
  name: "Prefer",
  in: "header",
  schema: { type: "string", example: "wait=30" },
  description: "`wait=N` (s, up to 60) answers at the end if that comes in time, else as without it",
};

const LAST_EVENT_ID = {
  name: "Last-Event-ID",
  in: "header",
  schema: { type: "string" },
  description: "Go on behind this event",
};

/** The problem codes that follow from what a route takes. */
const impliedBy = (operation: Operation): ErrorCode[] => {
  const takes = (place: string) => operation.parameters?.some((parameter) => parameter.in === place);
  const codes: ErrorCode[] = ["internal", "unavailable"];
  if (operation.security?.length) codes.push("unauthenticated");
  if (takes("path")) codes.push("not_found");
  if (takes("query") || operation.requestBody) codes.push("validation_failed");
  if (operation.requestBody) codes.push("malformed_json", "too_large", "unsupported_media_type");
  if (operation["x-darkroom"]?.idempotent) codes.push("bad_request", "idempotency_key_reused");
  return codes;
};

/** Responses for problem codes, one per status, with an example for each code. */
const problemResponses = (codes: readonly ErrorCode[], path: string, publicUrl: string): Record<string, Json> => {
  const wanted = errorCatalog.filter(({ code }) => codes.some((one) => one === code));
  const byStatus = Object.groupBy(wanted, ({ status }) => String(status));
  return Object.fromEntries(
    Object.entries(byStatus).map(([status, entries = []]) => {
      const example = (entry: (typeof wanted)[number]) => ({
        value: { type: problemType(publicUrl, entry.code), ...entry, instance: path, request_id: "019a5b0e" },
      });
      return [
        status,
        {
          description: entries.map(({ code, title }) => `\`${code}\`: ${title}`).join("; "),
          content: {
            "application/problem+json": {
              schema: { $ref: "#/components/schemas/Problem" },
              examples: Object.fromEntries(entries.map((entry) => [entry.code, example(entry)])),
            },
          },
        },
      ];
    }),
  );
};

// The plugin offers every content type and leaves schema keywords beside the fields of a response.
const cleanResponse = (
  status: string,
  response: Json,
  answer: NonNullable<Description["answers"]>[number] | undefined,
) => {
  const content = response.content as Record<string, Json> | undefined;
  const json = content?.["application/json"];
  const example = answer?.example === undefined ? {} : { example: answer.example };
  const kept = json || answer?.example !== undefined ? { "application/json": { ...json, ...example } } : content;
  const headers = Object.entries(answer?.headers ?? {}).map(([name, description]) => [
    name,
    { description, schema: { type: "string" } },
  ]);
  return {
    description: answer?.description ?? response.description ?? STATUS_CODES[status] ?? "Answer",
    ...(headers.length > 0 ? { headers: Object.fromEntries(headers) } : {}),
    ...(kept ? { content: kept } : {}),
  };
};

/** A parameter as its schema's `x-openapi` wants it shown, if it has one. */
const shown = <P extends { schema?: Json }>(parameter: P): P => {
  const wanted = parameter.schema?.["x-openapi"] as Json | undefined;
  return wanted ? { ...parameter, schema: wanted } : parameter;
};

const complete = (path: string, { "x-darkroom": extra = {}, ...given }: Operation, publicUrl: string): Operation => {
  const operation: Operation = { ...given, security: given.security ?? [] };
  if (given.parameters) operation.parameters = given.parameters.map(shown);
  const headers = [
    ...(extra.idempotent ? [IDEMPOTENCY_KEY] : []),
    ...(extra.waits ? [PREFER] : []),
    ...(extra.events ? [LAST_EVENT_ID] : []),
  ];
  if (headers.length > 0) operation.parameters = [...(operation.parameters ?? []), ...headers];
  if (given.requestBody) {
    const json = given.requestBody.content["application/json"] as Json;
    const example = extra.example === undefined ? {} : { example: extra.example };
    operation.requestBody = { ...given.requestBody, content: { "application/json": { ...json, ...example } } };
  }
  const codes = [...impliedBy({ ...operation, "x-darkroom": extra }), ...(extra.problems ?? [])];
  const answers = extra.answers ?? {};
  const stated: Record<string, Json> = {
    ...Object.fromEntries(Object.keys(answers).map((status) => [status, {}])),
    ...given.responses,
  };
  operation.responses = problemResponses(codes, path, publicUrl);
  for (const [status, response] of Object.entries(stated))
    operation.responses[status] = cleanResponse(status, response, answers[Number(status)]);
  if (extra.events)
    operation.responses[200] = {
      description: "Server-sent events; each `data` is a CloudEvents JSON document",
      content: { "text/event-stream": { schema: { type: "string" }, example: extra.events.join("\n\n") } },
    };
  return operation;
};

const addSocket = (paths: Paths, socket: SocketDescription) => {
  const operations = paths[socket.path] ?? {};
  const get: Operation = operations.get ?? { tags: [socket.tag], summary: socket.summary, security: [], responses: {} };
  const inQuery = (name: string, description: string) => ({
    name,
    in: "query",
    schema: { type: "string" },
    description,
  });
  const tokens = [inQuery("token", "Access token, WebSocket only"), inQuery("ticket", "Instead of a token")];
  paths[socket.path] = {
    ...operations,
    get: {
      ...get,
      description: [get.description, `**WebSocket** (\`Upgrade: websocket\`). ${socket.description}`]
        .filter(Boolean)
        .join("\n\n"),
      parameters: [...(get.parameters ?? []), ...tokens],
      responses: { 101: { description: socket.summary }, ...get.responses },
    },
  };
};

const Problem = {
  type: "object",
  description:
    "RFC 9457 problem document. `code` is stable; `retryable` tells whether the same request may succeed later.",
  required: ["type", "title", "status", "code", "retryable", "instance", "request_id"],
  properties: {
    type: { type: "string", format: "uri" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    code: { type: "string", enum: errorCatalog.map(({ code }) => code) },
    retryable: { type: "boolean" },
    instance: { type: "string" },
    errors: {
      type: "array",
      items: {
        type: "object",
        required: ["path", "message"],
        properties: { path: { type: "string", description: "JSON pointer" }, message: { type: "string" } },
      },
    },
    request_id: { type: "string" },
  },
};

/**
 * Makes the plugin's document complete and valid: JSON bodies only, descriptions, examples, problem
 * responses, `Idempotency-Key`, WebSockets. It is 3.1, whose schemas are JSON Schema, as TypeBox's are.
 */
export const refine = (
  document: OpenApi,
  with_: { publicUrl: string; sockets: readonly SocketDescription[] },
): OpenApi => {
  const paths: Paths = {};
  for (const [path, operations] of Object.entries(document.paths)) {
    const clean = path.replace(/(?<=.)\/$/, "");
    const completed = Object.entries(operations).map(([method, operation]) => [
      method,
      complete(clean, operation, with_.publicUrl),
    ]);
    paths[clean] = { ...paths[clean], ...Object.fromEntries(completed) };
  }
  for (const socket of with_.sockets) addSocket(paths, socket);
  const schemas = { ...document.components.schemas, Problem };
  return { ...document, openapi: "3.1.0", paths, components: { ...document.components, schemas } };
};
