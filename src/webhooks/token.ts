import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";

/** Whom a delivery is about. */
export type Named = { job: string; attempt: string };

const TOKEN = /^([\w-]{1,64})\.([\w-]{1,64})\.([\w-]{43})$/;

/**
 * The URLs that providers call us at: `<public URL>/hooks/<provider>/<job>.<attempt>.<signature>`. An attempt has the
 * same URL on every node and every time, and stands in it verbatim: some providers give the URL back, and a lost submit
 * is found by it. The signature binds the three together; where a provider does not sign what it delivers, it is all
 * that makes a delivery believable.
 */
export const createHooks = ({
  secret,
  publicUrl,
  callable,
}: {
  secret: string;
  /** Without a trailing slash. */
  publicUrl: string;
  /** Providers that can reach us there. */
  callable: ReadonlySet<string>;
}) => {
  const sign = (provider: string, { job, attempt }: Named): string =>
    createHmac("sha256", secret).update(`${provider}:${job}:${attempt}`).digest("base64url");

  return {
    /** Null when the provider cannot reach us. */
    urlFor: (provider: string, job: string, attempt: string): string | null =>
      callable.has(provider)
        ? `${publicUrl}/hooks/${provider}/${job}.${attempt}.${sign(provider, { job, attempt })}`
        : null,
    /** Whom a token names; null when this provider never got it from us. Takes the same time for every wrong one. */
    read: (provider: string, token: string): Named | null => {
      const [, job = "", attempt = "", signature = ""] = TOKEN.exec(token) ?? [];
      if (signature === "") return null;
      const mine = Buffer.from(sign(provider, { job, attempt }));
      return timingSafeEqual(mine, Buffer.from(signature)) ? { job, attempt } : null;
    },
  };
};
export type Hooks = ReturnType<typeof createHooks>;
