import { codeOf, rootOf } from "./s3-failure.ts";

/** What was asked of S3, and where. */
export type Asked = {
  /** As in "S3 does not let us ...". */
  what: string;
  /** The IAM action that it needs. */
  action: string;
  endpoint: string;
  /** The setting that names the endpoint. */
  setting: "S3_ENDPOINT_INTERNAL" | "S3_PUBLIC_ENDPOINT";
  bucket: string;
  region: string;
  /** By a signed URL, and so without the headers that minio sends. */
  byUrl?: boolean;
  /** How far this machine's clock is ahead of S3's, where that matters. Milliseconds. */
  aheadMs?: number;
};

type Failure = { code: string; message: string; region: string };
type Sentence = (asked: Asked, failure: Failure) => string;

const MINUTE_MS = 60_000;
const MAX_MESSAGE = 200;
/** Of an answer that is no error document. */
const NO_S3 = "NotFound";

const readFailure = (error: unknown): Failure => {
  const root = rootOf(error);
  const { region, amzBucketRegion } = (root ?? {}) as { region?: unknown; amzBucketRegion?: unknown };
  const message = root instanceof Error ? root.message : String(root);
  const told = [amzBucketRegion, region, /expecting '([\w-]+)'/.exec(message)?.[1]];
  const isAnswer = root instanceof Error && root.name === "S3Error";
  return { code: codeOf(root) || (isAnswer ? NO_S3 : ""), message, region: String(told.find((each) => each) ?? "") };
};

const regionSentence: Sentence = ({ region }, failure) => {
  if (failure.region === "" || failure.region === region) {
    return `S3 does not take region ${region} at this endpoint: look at S3_REGION and S3_ENDPOINT_INTERNAL`;
  }
  const moved = /Redirect|Moved/.test(failure.code);
  const endpoint = moved ? ", and S3_ENDPOINT_INTERNAL to the endpoint of that region" : "";
  return `S3 expects region ${failure.region}, not ${region}: set S3_REGION=${failure.region}${endpoint}`;
};

const skewSentence: Sentence = ({ aheadMs = 0 }) => {
  const minutes = Math.round(Math.abs(aheadMs) / MINUTE_MS);
  if (minutes === 0) return "The clocks of this machine and of S3 differ too much: set them by NTP";
  return `The clock of this machine is ${minutes} min ${aheadMs > 0 ? "ahead of" : "behind"} that of S3: set it by NTP`;
};

const signatureSentence: Sentence = ({ byUrl, setting, endpoint }) =>
  byUrl
    ? `S3 does not know its own signed URLs at ${endpoint}: whoever stands before it must leave path and Host header as they are, and S3_REGION must fit; look at ${setting}`
    : "S3 refuses the secret key: look at AWS_SECRET_ACCESS_KEY";

const deniedSentence: Sentence = ({ what, action, bucket }) => {
  const isOfBucket = /Bucket/.test(action);
  const resource = `arn:aws:s3:::${bucket}${isOfBucket ? "" : "/*"}`;
  if (action === "s3:CreateBucket") {
    return `The bucket ${bucket} does not exist, and the keys may not make it: make it by hand, or allow ${action}`;
  }
  return `S3 does not let us ${what}: allow ${action} on ${resource}, and see that S3_BUCKET is a bucket of yours`;
};

const elsewhere: Sentence = ({ endpoint, setting }) =>
  `${endpoint} is another S3 than S3_ENDPOINT_INTERNAL, or has another bucket: look at ${setting}`;

/** By S3's code, else by the system's or the TLS library's. The first that fits counts. */
const SENTENCES: readonly [code: RegExp, sentence: Sentence][] = [
  [
    /^(InvalidAccessKeyId|InvalidClientTokenId|NotSignedUp)$/,
    (asked, failure) =>
      asked.setting === "S3_PUBLIC_ENDPOINT"
        ? elsewhere(asked, failure)
        : "S3 does not know the access key: look at AWS_ACCESS_KEY_ID",
  ],
  [/^SignatureDoesNotMatch$/, signatureSentence],
  [/Token/, () => "S3 refuses the session token, or it has expired: look at AWS_SESSION_TOKEN"],
  [/^RequestTimeTooSkewed$/, skewSentence],
  [
    /^Authorization(HeaderMalformed|QueryParametersError)$|Redirect$|^MovedPermanently$|LocationConstraint|^InvalidRegion/,
    regionSentence,
  ],
  [/^BucketAlreadyExists$/, ({ bucket }) => `The bucket ${bucket} belongs to somebody else: choose another S3_BUCKET`],
  [/^InvalidBucketName$/, ({ bucket }) => `S3 takes no bucket of the name ${bucket}: choose another S3_BUCKET`],
  [
    /^(NoSuchBucket|NoSuchKey)$/,
    (asked, failure) =>
      asked.byUrl ? elsewhere(asked, failure) : `The bucket ${asked.bucket} does not exist: look at S3_BUCKET`,
  ],
  [/^(AccessDenied|AllAccessDisabled|AccountProblem)$/, deniedSentence],
  [
    /^(ENOTFOUND|EAI_)/,
    ({ endpoint, setting }, { message }) => {
      const host = /(?:ENOTFOUND|EAI_\w+) (\S+)/.exec(message)?.[1] ?? "of it";
      return `The host ${host} is not known here: look at ${setting} (${endpoint}) and at S3_USE_PATH_STYLE, by which the bucket is before the host`;
    },
  ],
  [/WRONG_VERSION_NUMBER|^EPROTO$/, ({ endpoint, setting }) => `${endpoint} does not speak TLS: look at ${setting}`],
  [
    /CERT|SELF_SIGNED|^ERR_(TLS|SSL)|_OSSL_|ISSUER|VERIFY/,
    ({ endpoint, setting }) =>
      `The certificate of ${endpoint} is not accepted: look at ${setting}, or name who vouches for it in NODE_EXTRA_CA_CERTS`,
  ],
  [/^ETIMEDOUT$/, ({ endpoint, setting }) => `${endpoint} does not answer: look at ${setting}, or try again`],
  [/^E[A-Z]+$/, ({ endpoint, setting }) => `${endpoint} cannot be reached: look at ${setting}, or start it first`],
  [
    /^(SlowDown|ServiceUnavailable|InternalError|RequestTimeout)$/,
    ({ endpoint }) => `S3 at ${endpoint} is not ready: try again`,
  ],
  [
    /^(NotFound|MethodNotAllowed)$/,
    ({ endpoint, setting }) => `What answers at ${endpoint} does not seem to be S3: look at ${setting}`,
  ],
  [
    /^/,
    ({ what, endpoint, setting }, { message }) =>
      `S3 at ${endpoint} could not ${what}; look at ${setting}. It says: ${message.slice(0, MAX_MESSAGE)}`,
  ],
];

/** Which setting to change, in one sentence that holds no secret. */
export const sentenceFor = (error: unknown, asked: Asked): string => {
  const failure = readFailure(error);
  const status = /HTTP status: (\d+)/.exec(failure.message)?.[1];
  const code = status === undefined ? failure.code : "ServiceUnavailable";
  const [, sentence] = SENTENCES.find(([pattern]) => pattern.test(code)) ?? [];
  const told = status === undefined ? code || "no code" : `HTTP ${status}`;
  return `${sentence?.(asked, failure)} (${told})`;
};
