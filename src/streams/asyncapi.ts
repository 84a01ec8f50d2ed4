/**
 * The AsyncAPI 3.0 document: what comes by NATS, server-sent events and WebSocket, from the schemas and the subjects
 * that the code itself uses. Its schemas are JSON Schema draft 7, as TypeBox's are.
 */
import { type TSchema, Type } from "@sinclair/typebox";
import { encodeFact, FactHeaders, messageId } from "../bus/message.ts";
import { BreakerSeen, NodeSeen, SeenHeaders } from "../bus/sighting.ts";
import { BREAKER_SUBJECT, NODE_SUBJECT, STREAM, SUBJECT, SUBJECT_PLACES, subjectOf } from "../bus/subjects.ts";
import type { Fact } from "../ports.ts";
import type { DialogueDescription, FactDescription, Named, StreamDescription } from "./describe.ts";
import { Envelope, eventName } from "./envelope.ts";

type Json = Record<string, unknown>;

const ref = (path: string) => ({ $ref: `#/${path}` });
const schemaRef = ({ name }: Pick<Named, "name">) => ref(`components/schemas/${name}`);
const described = (places: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(places).map(([name, description]) => [name, { description }]));

/** A message on NATS as it would be. */
const exampleOf = (fact: Fact, source: string) => {
  const { headers, data } = encodeFact(fact, source);
  return {
    name: subjectOf(fact),
    headers: {
      "Nats-Msg-Id": messageId(fact),
      ...Object.fromEntries([...headers.keys()].map((name) => [name, headers.get(name)])),
    },
    payload: JSON.parse(new TextDecoder().decode(data)),
  };
};

/** The data of a fact, whole or what was left of it. */
const eitherOf = (whole: Json, left: Named | undefined): Json => (left ? { anyOf: [whole, schemaRef(left)] } : whole);

/** Under `fact.<type>`: on NATS. */
const factMessage = ({ type, summary, kept, left, example }: FactDescription, source: string): Json => ({
  name: type,
  title: summary,
  contentType: "application/json",
  headers: {
    type: "object",
    allOf: [ref("components/schemas/FactHeaders"), { properties: { "ce-type": { const: `darkroom.${type}` } } }],
  },
  payload: eitherOf(kept.more ? { allOf: [schemaRef(kept), kept.more] } : schemaRef(kept), left),
  correlationId: { location: "$message.header#/traceparent" },
  ...(example ? { examples: [exampleOf(example, source)] } : {}),
});

/** Under `event.<name>`: all the facts that clients get by one name, each in its envelope. */
const eventMessage = (event: string, facts: readonly FactDescription[]): Json => ({
  name: event,
  title: facts.map(({ type, summary }) => `${type}: ${summary}`).join("; "),
  contentType: "application/json",
  payload: {
    allOf: [
      ref("components/schemas/Envelope"),
      {
        properties: {
          type: { enum: facts.map(({ type }) => `darkroom.${type}`) },
          data: facts[0]?.shown ? eitherOf(schemaRef(facts[0].shown), facts[0].left) : {},
        },
      },
    ],
  },
});

const plainMessage = (name: string, title: string, payload: TSchema): Json => ({
  name,
  title,
  contentType: "application/json",
  payload,
});

/** What is shown of the machines in a node's memory, on NATS: by channel, its subject and its one message. */
const LIVE = {
  nodes: { address: NODE_SUBJECT, title: "The life of each node", schema: NodeSeen, type: "node.seen" },
  breakers: {
    address: BREAKER_SUBJECT,
    title: "The breaker of each provider, on each node",
    schema: BreakerSeen,
    type: "breaker.seen",
  },
};
const LIVE_PLACES = { node: "id of the node's process", provider: "name of the provider" };
const LIVE_TEXT = "Each change as it happens, to whoever listens then: on a plain subject, kept by no stream.";

const liveChannel = ({ address, title, schema, type }: (typeof LIVE)[keyof typeof LIVE]): Json => ({
  address,
  title,
  description: LIVE_TEXT,
  servers: [ref("servers/nats")],
  parameters: described(
    Object.fromEntries(Object.entries(LIVE_PLACES).filter(([name]) => address.includes(`{${name}}`))),
  ),
  messages: { [type]: { ...plainMessage(type, title, schema), headers: SeenHeaders } },
});

/** What a stream carries besides the facts, by message name. */
const asideMessages = ({ aside, snapshot, transport }: StreamDescription): Record<string, Json> => {
  const framed = (event: string) =>
    transport === "sse"
      ? snapshot.schema
      : Type.Composite([
          Type.Object({ event: Type.Literal(event) }),
          snapshot.schema as ReturnType<typeof Type.Object>,
        ]);
  const reset = "The cursor was of no use: the whole as it is now, and the cursor to go on from";
  return {
    ...Object.fromEntries(aside.map(({ event, summary, schema }) => [event, plainMessage(event, summary, schema)])),
    ...(snapshot.greets && {
      snapshot: plainMessage("snapshot", "First, without a cursor: the whole", framed("snapshot")),
    }),
    reset: plainMessage("reset", reset, framed("reset")),
  };
};

const frames = ({ hears, tells }: DialogueDescription): Record<string, Json> =>
  Object.fromEntries(
    [...hears, ...tells].map(({ event, summary, schema }) => [event, plainMessage(event, summary, schema)]),
  );

const SSE =
  "`event:` is the message's name, `id:` its cursor, `data:` its payload. Resume with `Last-Event-ID` or `?after=`.";
const DIALOGUE = "One JSON object a frame, told apart by `type`. Every subscription resumes by itself, with `after`.";
const SOCKET = "One message a frame. Resume with `?after=`, the `sequence` of the last.";
const NATS = [
  `JetStream stream \`${STREAM}\`. CloudEvents 1.0 in binary mode, at least once, in the order of \`ce-sequence\` within`,
  "a `ce-stream`; consumers ignore a `ce-sequence` that they have seen. Filter by subject, e.g.",
  "`darkroom.*.*.job.*.succeeded`.",
].join(" ");

export const createAsyncApi = (deps: {
  publicUrl: string;
  version: string;
  facts: readonly FactDescription[];
  streams: readonly StreamDescription[];
  dialogues: readonly DialogueDescription[];
}): Json => {
  const { publicUrl, version, facts, streams, dialogues } = deps;
  const { host, protocol } = new URL(publicUrl);
  const secure = protocol === "https:" ? "s" : "";
  const events = Map.groupBy(
    facts.filter(({ shown }) => shown !== undefined),
    ({ type }) => eventName(type),
  );
  const upgrade = { bindings: { ws: { method: "GET", bindingVersion: "0.1.0" } } };
  const kindOf = (type: string) => type.slice(0, type.indexOf("."));
  const messagesOf = (stream: StreamDescription) => {
    const carried = [...events].filter(
      ([event, [first]]) => stream.kinds.includes(kindOf(first?.type ?? "")) || stream.ends?.includes(event),
    );
    const shared = carried.map(([event]) => [event, ref(`components/messages/event.${event}`)]);
    return { ...Object.fromEntries(shared), ...asideMessages(stream) };
  };
  const channel = (stream: StreamDescription) => ({
    address: stream.address,
    title: stream.summary,
    description: stream.transport === "sse" ? SSE : SOCKET,
    servers: [ref(`servers/${stream.transport === "sse" ? "http" : "websocket"}`)],
    parameters: described(stream.parameters),
    messages: messagesOf(stream),
    ...(stream.transport === "websocket" ? upgrade : {}),
  });
  const dialogue = (of: DialogueDescription) => ({
    address: of.address,
    title: of.summary,
    description: DIALOGUE,
    servers: [ref("servers/websocket")],
    messages: frames(of),
    ...upgrade,
  });
  const operation = (name: string, summary: string, bindings = {}) => ({
    action: "send",
    channel: ref(`channels/${name}`),
    summary,
    ...bindings,
  });
  /** What either side says in a dialogue. */
  const side = (
    action: "send" | "receive",
    { name, summary }: DialogueDescription,
    of: readonly { event: string }[],
  ) => [
    `${action}${name.charAt(0).toUpperCase()}${name.slice(1)}`,
    {
      ...operation(name, summary),
      action,
      messages: of.map(({ event }) => ref(`channels/${name}/messages/${event}`)),
    },
  ];
  const get = { bindings: { http: { method: "GET", bindingVersion: "0.3.0" } } };
  const schemas = new Map<string, TSchema>([
    ["FactHeaders", FactHeaders],
    ["Envelope", Envelope],
  ]);
  for (const { kept, shown, left } of facts)
    for (const named of [kept, shown, left]) if (named) schemas.set(named.name, named.schema);

  const document = {
    asyncapi: "3.0.0",
    info: {
      title: "Darkroom",
      version,
      description:
        "What happens, as it happens. Every committed fact is on NATS; clients get the same facts rendered (signed URLs, " +
        "ISO 8601) by server-sent events and WebSocket. Requests are described by [OpenAPI](/openapi.json).",
      license: { name: "MIT" },
      tags: [{ name: "facts" }],
    },
    defaultContentType: "application/json",
    servers: {
      nats: {
        host: "{nats}",
        protocol: "nats",
        description: "NATS with JetStream, where the nodes have one",
        variables: { nats: { default: "localhost:4222", description: "as NATS_URL names it" } },
      },
      http: { host, protocol: `http${secure}`, security: [ref("components/securitySchemes/bearer")] },
      websocket: { host, protocol: `ws${secure}`, security: [ref("components/securitySchemes/token")] },
    },
    channels: {
      facts: {
        address: SUBJECT,
        title: "Every committed fact",
        description: NATS,
        servers: [ref("servers/nats")],
        parameters: described(SUBJECT_PLACES),
        messages: Object.fromEntries(facts.map(({ type }) => [type, ref(`components/messages/fact.${type}`)])),
      },
      ...Object.fromEntries(Object.entries(LIVE).map(([name, live]) => [name, liveChannel(live)])),
      ...Object.fromEntries(streams.map((stream) => [stream.name, channel(stream)])),
      ...Object.fromEntries(dialogues.map((one) => [one.name, dialogue(one)])),
    },
    operations: {
      publishFacts: operation("facts", "Published after its commit, by whichever node is first"),
      showNodes: operation("nodes", LIVE.nodes.title),
      showBreakers: operation("breakers", LIVE.breakers.title),
      ...Object.fromEntries(
        streams.map(({ name, summary, transport }) => [
          `send${name.charAt(0).toUpperCase()}${name.slice(1)}`,
          operation(name, summary, transport === "sse" ? get : {}),
        ]),
      ),
      ...Object.fromEntries(
        dialogues.flatMap((one) => [side("send", one, one.tells), side("receive", one, one.hears)]),
      ),
    },
    components: {
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
        token: { type: "httpApiKey", in: "query", name: "token" },
      },
      messages: {
        ...Object.fromEntries(facts.map((fact) => [`fact.${fact.type}`, factMessage(fact, publicUrl)])),
        ...Object.fromEntries([...events].map(([event, of]) => [`event.${event}`, eventMessage(event, of)])),
      },
      schemas: Object.fromEntries(schemas),
    },
  };
  return JSON.parse(JSON.stringify(document)) as Json;
};
