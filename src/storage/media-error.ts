/** Why a file could not be taken in. `retryable` says whether fetching it again may help. */
const CODES = {
  empty_output: true,
  output_truncated: true,
  output_too_large: false,
  unsupported_output: false,
  unreadable_output: true,
} as const;

export type MediaErrorCode = keyof typeof CODES;

export class MediaError extends Error {
  readonly retryable: boolean;
  constructor(
    readonly code: MediaErrorCode,
    message: string,
  ) {
    super(message);
    this.name = "MediaError";
    this.retryable = CODES[code];
  }
}
