/** What Replicate checks of a create call. */
import type { Asked, Reply } from "./kit.ts";
import { EVENTS, type Event, type Kept } from "./replicate-run.ts";

const KEYS = new Set(["version", "input", "stream", "webhook", "webhook_events_filter"]);
const MIN_DEADLINE_S = 5;

export type Models = {
  /** `owner/name` of models that run without a version. */
  official: readonly string[];
  /** `owner/name` → hash, of community models. */
  versions: Readonly<Record<string, string>>;
};

export const problem = (status: number, title: string, detail: string, more: object = {}): Reply => ({
  status,
  json: { title, detail, status, ...more },
});

const invalid = (field: string, description: string) =>
  problem(422, "Input validation failed", `- ${field}: ${description}\n`, {
    invalid_fields: [{ type: "required", field, description }],
  });

const noVersion = () =>
  problem(
    422,
    "Invalid version or not permitted",
    "The specified version does not exist (or perhaps you don't have permission to use it?)",
  );

/** `90`, `90s`, `5m`, `1h30m45s` in seconds; null when it is none of these. */
export const durationOf = (text: string): number | null => {
  const [whole, h, m, s] = /^\s*(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?\s*$/.exec(text) ?? [];
  if (whole === undefined || (h ?? m ?? s) === undefined) return null;
  return Number(h ?? 0) * 3600 + Number(m ?? 0) * 60 + Number(s ?? 0);
};

type Named = { model: string; version: string } | Reply;

const isReply = (named: Named): named is Reply => !("model" in named);

/** Which model a body's `version` names: `owner/name` of an official one, `owner/name:hash`, or the hash alone. */
const byVersion = (version: unknown, { official, versions }: Models): Named => {
  if (typeof version !== "string") return invalid("version", "version is required");
  if (official.includes(version)) return { model: version, version: "hidden" };
  const [name, hash] = version.includes(":") ? version.split(":") : [null, version];
  const found = Object.entries(versions).find(([model, known]) => known === hash && (name === null || name === model));
  return found ? { model: found[0], version: found[1] } : noVersion();
};

const byRoute = (captured: string[], { official }: Models): Named => {
  const model = captured.join("/");
  if (official.includes(model)) return { model, version: "hidden" };
  return problem(404, "Not found", "The requested resource could not be found.");
};

/** Reads a create call: what to keep of it, or the refusal. */
export const readSubmit = (
  asked: Asked,
  {
    route,
    models,
    httpsWebhooks,
  }: { route: "version" | "model" | "deployment"; models: Models; httpsWebhooks: boolean },
): { kept: Kept } | { refusal: Reply } => {
  const body = asked.json as Record<string, unknown> | undefined;
  if (typeof body !== "object" || body === null) return { refusal: problem(400, "Bad request", "Invalid JSON") };
  const foreign = Object.keys(body).find((key) => !KEYS.has(key) || (key === "version" && route !== "version"));
  if (foreign) return { refusal: invalid(foreign, "Additional property is not allowed") };
  const named =
    route === "version"
      ? byVersion(body.version, models)
      : route === "model"
        ? byRoute(asked.captured, models)
        : { model: asked.captured.join("/"), version: "hidden" };
  if (isReply(named)) return { refusal: named };
  const { input, webhook = null, webhook_events_filter: events = null } = body;
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    return { refusal: invalid("input", "input is required") };
  }
  if (typeof (input as { prompt?: unknown }).prompt !== "string") {
    return { refusal: invalid("input", "prompt is required") };
  }
  if (webhook !== null && !(typeof webhook === "string" && URL.canParse(webhook))) {
    return { refusal: invalid("webhook", "must be a URL") };
  }
  if (httpsWebhooks && webhook !== null && !webhook.startsWith("https://")) {
    return { refusal: invalid("webhook", "must be an HTTPS URL") };
  }
  if (events !== null && !(Array.isArray(events) && events.every((event) => EVENTS.includes(event)))) {
    return { refusal: invalid("webhook_events_filter", "unknown event") };
  }
  const asks = asked.headers.get("cancel-after");
  const seconds = asks === null ? null : durationOf(asks);
  if (asks !== null && (seconds === null || seconds < MIN_DEADLINE_S)) {
    return { refusal: invalid("Cancel-After", "must be a duration of 5 seconds or more") };
  }
  return {
    kept: {
      ...named,
      deployment: route === "deployment" ? asked.captured.join("/") : null,
      input: input as Record<string, unknown>,
      webhook,
      events: events as Event[] | null,
      deadline: seconds === null ? null : asked.at + seconds * 1000,
      logs: "",
      lingers: 0,
    },
  };
};
