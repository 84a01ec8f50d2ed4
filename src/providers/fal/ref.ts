/**
 * A ref is the path of the request below the queue's base URL: `fal-ai/flux-pro/requests/<id>`. Status, result and
 * cancel live under the app alone: whatever follows it in the model's id (`/kontext`) is only for the submit.
 */

const SEGMENT = "[A-Za-z0-9_-][A-Za-z0-9_.-]*";
/** Ids of these owners carry one segment more. */
const APP = `(?:(?:workflows|comfy)/)?${SEGMENT}/${SEGMENT}`;
const ID = "[A-Za-z0-9_-]{1,128}";
const MODEL = new RegExp(`^(${APP})(?:/${SEGMENT})*$`);
const REF = new RegExp(`^${APP}/requests/${ID}$`);
const ANY_REF = new RegExp(`/(${APP}/requests/(${ID}))(?:/[a-z]+)?/?$`);

/** Whether this can be posted to: owner, app and perhaps a path. */
export const isModel = (model: string): boolean => MODEL.test(model);

/** Whether `ref` is one of ours; what is not never becomes a URL. */
export const isRef = (ref: string): boolean => REF.test(ref);

/** The ref of a request of `model` (`owner/app[/path]`), or null when either is not well-formed. */
export const refOf = (model: string, requestId: string): string | null => {
  const ref = `${MODEL.exec(model)?.[1] ?? ""}/requests/${requestId}`;
  return isRef(ref) ? ref : null;
};

/**
 * The ref inside a URL that a submit's answer names, or null. fal asks to use its URLs rather than to build them, in
 * case an app answers under another name; only the path is taken, so that the host stays the configured one.
 */
export const refInUrl = (url: unknown, requestId: string, isOurs: (host: string) => boolean): string | null => {
  if (typeof url !== "string" || !URL.canParse(url)) return null;
  const { host, pathname } = new URL(url);
  const [, ref, id] = ANY_REF.exec(pathname) ?? [];
  return ref && id === requestId && isOurs(host) ? ref : null;
};
