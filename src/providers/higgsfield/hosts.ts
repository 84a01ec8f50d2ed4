/** Higgsfield's API answers at both; a request made at one may be told to live at the other. */
export const API_HOSTS = ["api.higgsfield.ai", "platform.higgsfield.ai"];

/** Where outputs were seen to lie. The full list is not documented, so it can be extended by a setting. */
export const OUTPUT_HOSTS = ["higgsfield.ai", "*.higgsfield.ai", "*.cloudfront.net"];
