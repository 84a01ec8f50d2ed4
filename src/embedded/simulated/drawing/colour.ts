/** Colours are `#rrggbb`; mixing happens in OKLab (https://bottosson.github.io/posts/oklab/), so that middles stay clean. */
type Lab = readonly [number, number, number];

const toLinear = (byte: number) => {
  const c = byte / 255;
  return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
};
const toByte = (linear: number) => {
  const c = linear <= 0.0031308 ? linear * 12.92 : 1.055 * linear ** (1 / 2.4) - 0.055;
  return Math.max(0, Math.min(255, Math.round(c * 255)));
};
const hex = (byte: number) => byte.toString(16).padStart(2, "0");

/** Red, green and blue of `#rrggbb`, 0 to 255. */
export const bytesOf = (colour: string): [number, number, number] => {
  const value = Number.parseInt(colour.slice(1, 7), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
};

const toLab = (colour: string): Lab => {
  const [r, g, b] = bytesOf(colour).map(toLinear) as [number, number, number];
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
};

const fromLab = ([L, a, b]: Lab): string => {
  const l = (L + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (L - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (L - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const r = 4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s;
  const g = -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s;
  const blue = -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s;
  return `#${hex(toByte(r))}${hex(toByte(g))}${hex(toByte(blue))}`;
};

/** The colour `share` (0 to 1) of the way from `from` to `to`. */
export const mix = (from: string, to: string, share: number): string => {
  const [a, b] = [toLab(from), toLab(to)];
  return fromLab([a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share]);
};

/** Lighter for `amount` > 0, darker for < 0 (-1 to 1), of the same hue. */
export const shade = (colour: string, amount: number): string => {
  const [L, a, b] = toLab(colour);
  const target = amount > 0 ? L + (1 - L) * amount : L * (1 + amount);
  const chroma = amount > 0 ? 1 - amount * 0.6 : 1 + amount * 0.45;
  return fromLab([target, a * chroma, b * chroma]);
};

/** The colour with an opacity of 0 to 1. */
export const fade = (colour: string, opacity: number): string =>
  `${colour.slice(0, 7)}${hex(Math.round(Math.max(0, Math.min(1, opacity)) * 255))}`;

/** How light a colour looks, 0 to 1. */
export const lightness = (colour: string): number => toLab(colour)[0];

/** A colour of the gradient through `colours`, at `share` 0 to 1. */
export const along = (colours: readonly string[], share: number): string => {
  const place = Math.max(0, Math.min(1, share)) * (colours.length - 1);
  const index = Math.min(Math.floor(place), colours.length - 2);
  if (index < 0) return colours[0] as string;
  return mix(colours[index] as string, colours[index + 1] as string, place - index);
};
