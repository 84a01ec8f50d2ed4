import { S3Error } from "./errors.ts";
import {
  ALGORITHM,
  canonicalRequest,
  encode,
  type Keys,
  readAmzDate,
  readScope,
  type Scope,
  sameSignature,
  sign,
  UNSIGNED,
} from "./signature.ts";
import { parameter, type Target } from "./target.ts";

/** How far a clock may be off: header-signed requests either way, presigned URLs into the future. */
const SKEW_MS = 15 * 60_000;
const MAX_EXPIRES_S = 7 * 24 * 3600;

/** Who asks. `payload` is the promised SHA-256 of the body in hex, or null when it is not signed. */
export type Caller = { signed: false } | { signed: true; payload: string | null };

type Check = { request: Request; target: Target; keys: Keys; now: number };

/** The host that the client signed is the one it addressed, which behind a proxy only the header knows. */
const hostOf = (request: Request): string => request.headers.get("host") ?? new URL(request.url).host;

/**
 * The signed headers with their values. Every `x-amz-*` header must be signed: otherwise whoever holds a
 * presigned PUT could add `x-amz-copy-source` and copy any object to a key that they can read.
 */
const signedHeaders = (request: Request, list: string): [string, string][] => {
  const names = list.split(";");
  if (!names.includes("host")) throw new S3Error("AccessDenied", "The host header must be signed");
  for (const [name, value] of request.headers) {
    if (!name.startsWith("x-amz-") || names.includes(name)) continue;
    if (name === "x-amz-content-sha256" && value === UNSIGNED) continue;
    throw new S3Error("AccessDenied", `The header ${name} was sent but not signed`);
  }
  return names.map((name) => [name, name === "host" ? hostOf(request) : (request.headers.get(name) ?? "")]);
};

const checkScope = (credential: string, amzDate: string, keys: Keys, malformed: (why: string) => S3Error): Scope => {
  const scope = readScope(credential);
  if (!scope) throw malformed("The credential is malformed");
  if (scope.accessKeyId !== keys.accessKeyId) throw new S3Error("InvalidAccessKeyId");
  if (scope.region !== keys.region) throw malformed(`The region ${scope.region} is wrong; expecting ${keys.region}`);
  if (!amzDate.startsWith(scope.date)) throw malformed("The date of the credential is not that of the request");
  return scope;
};

const checkSignature = (
  { request, target, keys }: Check,
  signed: { scope: Scope; amzDate: string; headers: string; query: Target["query"]; payloadHash: string },
  given: string,
) => {
  const canonical = canonicalRequest({
    method: request.method,
    path: target.path,
    query: signed.query,
    headers: signedHeaders(request, signed.headers),
    payloadHash: signed.payloadHash,
  });
  const expected = sign(keys.secretAccessKey, signed.scope, signed.amzDate, canonical);
  if (!sameSignature(expected, given)) throw new S3Error("SignatureDoesNotMatch");
};

const byQuery = (check: Check): Caller => {
  const { target, keys, now } = check;
  const malformed = (why: string) =>
    new S3Error("AuthorizationQueryParametersError", why, { Region: encode(keys.region) });
  const need = (name: string) => {
    const value = parameter(target, name);
    if (!value) throw malformed(`${name} is missing`);
    return value;
  };
  if (need("X-Amz-Algorithm") !== ALGORITHM) throw malformed(`X-Amz-Algorithm only supports ${ALGORITHM}`);
  const amzDate = need("X-Amz-Date");
  const at = readAmzDate(amzDate);
  if (at === null) throw malformed("X-Amz-Date is malformed");
  const expires = need("X-Amz-Expires");
  if (!/^\d{1,6}$/.test(expires) || Number(expires) < 1 || Number(expires) > MAX_EXPIRES_S) {
    throw malformed(`X-Amz-Expires must be from 1 to ${MAX_EXPIRES_S}`);
  }
  const scope = checkScope(need("X-Amz-Credential"), amzDate, keys, malformed);
  const query = target.query.filter(([name]) => name !== "X-Amz-Signature");
  const headers = need("X-Amz-SignedHeaders");
  checkSignature(check, { scope, amzDate, headers, query, payloadHash: UNSIGNED }, need("X-Amz-Signature"));
  if (at > now + SKEW_MS) throw new S3Error("AccessDenied", "Request is not valid yet");
  if (now > at + Number(expires) * 1000) throw new S3Error("AccessDenied", "Request has expired");
  return { signed: true, payload: null };
};

const byHeader = (check: Check, authorization: string): Caller => {
  const { request, target, keys, now } = check;
  const malformed = (why: string) => new S3Error("AuthorizationHeaderMalformed", why, { Region: encode(keys.region) });
  const [algorithm, ...rest] = authorization.split(" ");
  if (algorithm !== ALGORITHM) throw malformed(`Only ${ALGORITHM} is supported`);
  const fields = new Map(
    rest
      .join("")
      .split(",")
      .map((field) => [field.slice(0, field.indexOf("=")), field.slice(field.indexOf("=") + 1)]),
  );
  const need = (name: string) => {
    const value = fields.get(name);
    if (!value) throw malformed(`${name} is missing`);
    return value;
  };
  const amzDate = request.headers.get("x-amz-date") ?? "";
  const at = readAmzDate(amzDate);
  if (at === null) throw new S3Error("AccessDenied", "A valid x-amz-date header is required");
  const payload = request.headers.get("x-amz-content-sha256") ?? "";
  if (payload.startsWith("STREAMING-")) throw new S3Error("NotImplemented", `${payload} is not supported`);
  if (payload !== UNSIGNED && !/^[0-9a-f]{64}$/.test(payload)) {
    throw new S3Error("InvalidArgument", "x-amz-content-sha256 must be UNSIGNED-PAYLOAD or a SHA-256 in hex");
  }
  const scope = checkScope(need("Credential"), amzDate, keys, malformed);
  const headers = need("SignedHeaders");
  checkSignature(check, { scope, amzDate, headers, query: target.query, payloadHash: payload }, need("Signature"));
  if (Math.abs(now - at) > SKEW_MS) throw new S3Error("RequestTimeTooSkewed");
  return { signed: true, payload: payload === UNSIGNED ? null : payload };
};

/**
 * Verifies a request's signature, in its query or its `Authorization` header. A request with neither is
 * anonymous, which is for the caller to allow or refuse. Throws `S3Error` for everything else.
 */
export const authorize = (check: Check): Caller => {
  const authorization = check.request.headers.get("authorization");
  const presigned = check.target.query.some(([name]) => /^x-amz-(signature|credential|algorithm)$/i.test(name));
  if (authorization && presigned) throw new S3Error("InvalidArgument", "Only one way of authentication is allowed");
  if (presigned) return byQuery(check);
  if (authorization) return byHeader(check, authorization);
  return { signed: false };
};
