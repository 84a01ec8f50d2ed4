import { Classified } from "../errors.ts";

/** Why a file could not be taken in, and whether fetching it again may help. */
const CODES = {
  empty_output: true,
  output_truncated: true,
  output_too_large: false,
  unsupported_output: false,
  unreadable_output: true,
} as const;

export type MediaErrorCode = keyof typeof CODES;

export class MediaError extends Classified {
  constructor(code: MediaErrorCode, message: string) {
    super(code, CODES[code], message);
  }
}
