/** The S3 errors that this server gives, with their HTTP status and the text for `<Message>`. */
const CODES = {
  AccessDenied: [403, "Access denied"],
  AuthorizationHeaderMalformed: [400, "The authorization header is malformed"],
  AuthorizationQueryParametersError: [400, "The query-string authentication parameters are malformed"],
  BadDigest: [400, "The Content-MD5 does not match what was received"],
  EntityTooLarge: [400, "The upload is larger than the maximum allowed size"],
  EntityTooSmall: [400, "The upload is smaller than the minimum allowed size"],
  IncompleteBody: [400, "The body ended before the promised Content-Length"],
  InsufficientStorage: [507, "The disk is full"],
  InternalError: [500, "We encountered an internal error; try again"],
  InvalidAccessKeyId: [403, "The access key does not exist"],
  InvalidArgument: [400, "Invalid argument"],
  InvalidDigest: [400, "The Content-MD5 is not valid"],
  InvalidPart: [400, "A part was not found or its ETag does not match"],
  InvalidPartOrder: [400, "The parts are not in ascending order"],
  InvalidRange: [416, "The requested range is not satisfiable"],
  InvalidURI: [400, "The URI could not be parsed"],
  KeyTooLongError: [400, "The key, or one of its segments, is too long"],
  MalformedPOSTRequest: [400, "The body is not well-formed multipart/form-data"],
  MalformedXML: [400, "The XML is not well-formed"],
  MethodNotAllowed: [405, "The method is not allowed against this resource"],
  NoSuchBucket: [404, "The bucket does not exist"],
  NoSuchKey: [404, "The key does not exist"],
  NoSuchUpload: [404, "The multipart upload does not exist"],
  NotImplemented: [501, "A header or query parameter implies something that is not implemented"],
  PreconditionFailed: [412, "A precondition did not hold"],
  QuotaExceeded: [507, "The storage holds as much as it may"],
  RequestTimeTooSkewed: [403, "The difference between the request time and the server's time is too large"],
  RequestTimeout: [400, "The body did not arrive in time"],
  ServiceUnavailable: [503, "The server is shutting down"],
  SignatureDoesNotMatch: [403, "The signature does not match; check the key and the signing method"],
  SlowDown: [503, "Too many uploads at once; try again"],
  XAmzContentSHA256Mismatch: [400, "The x-amz-content-sha256 header does not match what was computed"],
} as const;

export type S3Code = keyof typeof CODES;

/** An answer with `<Code>`; `extra` adds elements to the XML, such as `Region`. */
export class S3Error extends Error {
  readonly status: number;
  /** HTTP headers that go with this error. */
  readonly headers: Record<string, string> = {};
  constructor(
    readonly code: S3Code,
    message?: string,
    readonly extra: Record<string, string> = {},
  ) {
    super(message ?? CODES[code][1]);
    this.name = "S3Error";
    this.status = CODES[code][0];
  }
}

/** Whether a file system call failed because of `code`, such as `ENOENT`. */
export const isErrno = (error: unknown, code: string): boolean =>
  error instanceof Error && (error as NodeJS.ErrnoException).code === code;
