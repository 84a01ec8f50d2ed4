/** Higgsfield's API answers at both; a request made at one may be told to live at the other. */
export const API_HOSTS = ["api.higgsfield.ai", "platform.higgsfield.ai"];

/**
 * Whether a host is documented to heed `Idempotency-Key`. The older host's documents say that there is no such thing,
 * and sending a lost submit again to a host that does not heed the key would bill it twice.
 */
export const heedsKeys = (host: string): boolean => host !== "platform.higgsfield.ai";

/** Where outputs were seen to lie. The full list is not documented, so it can be extended by a setting. */
export const OUTPUT_HOSTS = ["higgsfield.ai", "*.higgsfield.ai", "*.cloudfront.net"];
