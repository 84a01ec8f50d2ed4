import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";

/** How long a download link of an attachment lasts; it leads to a freshly signed URL each time. */
const LINK_TTL_S = 7 * 86_400;

/**
 * Links to an attachment's verified bytes, to be given out before they exist: the key is only known
 * after verification, and the upload itself is never served.
 */
export const createLinks = ({ secret, publicUrl, now }: { secret: string; publicUrl: string; now(): number }) => {
  const signature = (id: string, expires: number) =>
    createHmac("sha256", secret).update(`attachment:${id}:${expires}`).digest("base64url");
  return {
    make: (id: string): string => {
      const expires = Math.floor(now() / 1000) + LINK_TTL_S;
      return `${publicUrl}/attachments/${id}/file?expires=${expires}&signature=${signature(id, expires)}`;
    },
    good: (id: string, expires: number, given: string): boolean => {
      if (!Number.isSafeInteger(expires) || expires * 1000 < now()) return false;
      const expected = Buffer.from(signature(id, expires));
      const actual = Buffer.from(given);
      return expected.length === actual.length && timingSafeEqual(expected, actual);
    },
  };
};
export type Links = ReturnType<typeof createLinks>;
