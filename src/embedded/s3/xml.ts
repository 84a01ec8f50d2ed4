const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" };
const NAMED: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** A tree of elements: text, nested elements, or a list that repeats the element. */
export type Xml = string | number | boolean | Xml[] | { [name: string]: Xml | undefined };

const render = (name: string, value: Xml | undefined): string => {
  if (value === undefined) return "";
  if (Array.isArray(value)) return value.map((each) => render(name, each)).join("");
  const inner =
    typeof value === "object"
      ? Object.entries(value)
          .map(([child, each]) => render(child, each))
          .join("")
      : String(value).replace(/[&<>"']/g, (char) => ENTITIES[char] as string);
  return `<${name}>${inner}</${name}>`;
};

/** An XML document with one root. */
export const toXml = (root: string, value: Xml): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n${render(root, value)}`;

const decode = (text: string): string =>
  text.replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w+));/gi, (whole, hex, decimal, name) => {
    const code = hex ? Number.parseInt(hex, 16) : decimal ? Number.parseInt(decimal, 10) : undefined;
    if (code === undefined) return NAMED[name] ?? whole;
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });

/**
 * The inner text of every `<name>` in a document, entities decoded where it holds no elements.
 * Enough for the two flat documents that S3 clients send (Delete, CompleteMultipartUpload); no DTDs,
 * no CDATA, so there is nothing to expand.
 */
export const elements = (xml: string, name: string): string[] => {
  const found = xml.matchAll(new RegExp(`<${name}(?:\\s[^>]*)?>([\\s\\S]*?)</${name}>`, "g"));
  return [...found].map(([, inner = ""]) => (inner.includes("<") ? inner : decode(inner)));
};
