import type { RemoteOutput } from "../../ports.ts";

const MAX_OUTPUTS = 32;
const MAX_DEPTH = 5;

/** What stands beside the artifacts. */
const NOT_OUTPUT =
  /^(status|request_id|id|status_url|cancel_url|error|expires_at|created_at|input|inputs|params|input_params|prompt|cost)$|thumb|preview|poster|cover/i;
/** Named by the documents; what models call their other artifacts (audio, archives, 3D) is not, so they are found by shape. */
const FIRST = ["images", "image", "video", "videos"];

const isWebUrl = (value: unknown): value is string => typeof value === "string" && /^https?:\/\//i.test(value);

const walk = (value: unknown, depth: number, found: RemoteOutput[]): void => {
  if (depth > MAX_DEPTH || found.length >= MAX_OUTPUTS || value === null) return;
  if (isWebUrl(value)) {
    if (!found.some(({ url }) => url === value)) found.push({ url: value });
  } else if (Array.isArray(value)) {
    for (const each of value) walk(each, depth + 1, found);
  } else if (typeof value === "object") {
    const { url, content_type: mime } = value as { url?: unknown; content_type?: unknown };
    if (isWebUrl(url)) {
      if (!found.some((output) => output.url === url)) found.push({ url, ...(typeof mime === "string" && { mime }) });
      return;
    }
    for (const [name, each] of Object.entries(value)) if (!NOT_OUTPUT.test(name)) walk(each, depth + 1, found);
  }
};

/** Every artifact of a finished request: images and video first, then whatever else has a URL. At most 32. */
export const outputsIn = (body: Record<string, unknown>): RemoteOutput[] => {
  const found: RemoteOutput[] = [];
  for (const name of FIRST) walk(body[name], 1, found);
  for (const [name, value] of Object.entries(body)) {
    // A bare string at the top may be any link; an artifact there says what it is.
    const isLink = typeof value === "string" && !/(^|_)(url|urls|file|audio|archive|model|asset|output)s?$/i.test(name);
    if (!FIRST.includes(name) && !NOT_OUTPUT.test(name) && !isLink) walk(value, 1, found);
  }
  return found;
};
