import { isIP } from "node:net";

/** What S3 takes as the name of a bucket: labels of a host name, and no address. */
export const BUCKET_NAME = "^(?!.*(\\.\\.|\\.-|-\\.))(?!\\d+(\\.\\d+){3}$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$";

type S3Settings = {
  S3_BUCKET: string;
  S3_ENDPOINT_INTERNAL?: string;
  S3_PUBLIC_ENDPOINT?: string;
  S3_USE_PATH_STYLE: boolean;
  AWS_ACCESS_KEY_ID?: string;
  AWS_SECRET_ACCESS_KEY?: string;
};

/** How the S3 endpoints of hosters begin; a bucket before one of these is part of a URL that was copied whole. */
const HOSTED = /^(s3[.-]|storage\.)/;

const ENDPOINTS = ["S3_ENDPOINT_INTERNAL", "S3_PUBLIC_ENDPOINT"] as const;

const read = (endpoint: string): URL | null => (URL.canParse(endpoint) ? new URL(endpoint) : null);

const isOrigin = ({ pathname, search, hash, username, password }: URL) =>
  pathname === "/" && search + hash + username + password === "";

const endpointProblem = (c: S3Settings, name: (typeof ENDPOINTS)[number]): string | null => {
  const endpoint = c[name];
  if (endpoint === undefined) return null;
  const url = read(endpoint);
  if (!url || !isOrigin(url)) {
    const example = url ? `${url.protocol}//${url.host}` : "https://s3.example.com";
    return `${name} must be an origin such as ${example}, nothing more: bucket and keys have settings of their own`;
  }
  if (!c.S3_USE_PATH_STYLE && isIP(url.hostname.replace(/^\[|\]$/g, "")) > 0) {
    return `${name} is an address, which no bucket can stand before: set S3_USE_PATH_STYLE=1`;
  }
  const bucket = `${c.S3_BUCKET}.`;
  const rest = url.hostname.slice(bucket.length);
  const others = ENDPOINTS.map((each) => read(c[each] ?? "")?.hostname);
  if (url.hostname.startsWith(bucket) && (HOSTED.test(rest) || others.includes(rest))) {
    return `${name} must not hold the bucket: leave "${bucket}" out, S3_USE_PATH_STYLE=0 puts it before the host by itself`;
  }
  return null;
};

/** What is wrong with the settings that speak of S3 together, in sentences that hold no secret. */
export const s3Conflicts = (c: S3Settings): string[] => {
  const problems = ENDPOINTS.map((name) => endpointProblem(c, name)).filter((problem) => problem !== null);
  if (c.S3_ENDPOINT_INTERNAL !== undefined && !(c.AWS_ACCESS_KEY_ID && c.AWS_SECRET_ACCESS_KEY)) {
    problems.push("S3_ENDPOINT_INTERNAL needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
  }
  return problems;
};
