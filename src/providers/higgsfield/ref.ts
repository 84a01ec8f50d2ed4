/**
 * What is kept of a request: its id, and its two URLs where they are not the ones that its id and the base URL would
 * give. A request made at one host of Higgsfield may live at the other.
 */
export type Ref = { id: string; statusUrl: string; cancelUrl: string };

const SEPARATOR = " ";
/** A uuid so far; nothing that could leave the path. */
const ID = /^[\w-]{1,100}$/;

const usual = (baseUrl: string, id: string): Ref => {
  const root = `${baseUrl.replace(/\/+$/, "")}/requests/${id}`;
  return { id, statusUrl: `${root}/status`, cancelUrl: `${root}/cancel` };
};

const urlOr = (value: unknown, otherwise: string, isOurs: (url: URL) => boolean): string =>
  typeof value === "string" && value.length <= 500 && URL.canParse(value) && isOurs(new URL(value))
    ? new URL(value).href
    : otherwise;

/** The ref of a submit's answer, or null when it has no proper id. A URL that is not `isOurs` is not kept. */
export const refOf = (
  body: Record<string, unknown>,
  { baseUrl, isOurs }: { baseUrl: string; isOurs: (url: URL) => boolean },
): string | null => {
  const { request_id: id, status_url, cancel_url } = body;
  if (typeof id !== "string" || !ID.test(id)) return null;
  const plain = usual(baseUrl, id);
  const statusUrl = urlOr(status_url, plain.statusUrl, isOurs);
  const cancelUrl = urlOr(cancel_url, plain.cancelUrl, isOurs);
  const isPlain = statusUrl === new URL(plain.statusUrl).href && cancelUrl === new URL(plain.cancelUrl).href;
  return isPlain ? id : [id, statusUrl, cancelUrl].join(SEPARATOR);
};

/** Reads a ref; null when it is none. */
export const readRef = (ref: string, baseUrl: string): Ref | null => {
  const [id = "", statusUrl, cancelUrl, ...rest] = ref.split(SEPARATOR);
  if (!ID.test(id) || rest.length > 0) return null;
  if (statusUrl === undefined || cancelUrl === undefined) return statusUrl === undefined ? usual(baseUrl, id) : null;
  return { id, statusUrl, cancelUrl };
};
