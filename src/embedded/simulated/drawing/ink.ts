/** A stop of a gradient: place (0 to 1), colour (`#rrggbb` or `#rrggbbaa`). A colour alone takes its even place. */
export type Stop = readonly [number, string] | string;

/** Pixels made by arithmetic: RGBA, 4 bytes each. Stretched to where they are placed. */
export type Raster = { width: number; height: number; data: Uint8Array };

/** What a picture needs beside its shapes: pictures inside the picture, made before it is drawn. */
export type Asset = { raster: Raster } | { svg: string; blur: number } | { plate: string };

/** Collects gradients and assets of one picture; every call returns what to put into an attribute or a body. */
export type Ink = {
  /** A gradient along a line in the shape's box, by default from top to bottom. */
  linear(stops: readonly Stop[], line?: readonly [number, number, number, number]): string;
  /** A gradient from (`x`, `y`) in the shape's box outwards. */
  radial(stops: readonly Stop[], x?: number, y?: number, radius?: number): string;
  /** A clip that is `shape` (SVG elements); returns the attribute's value. */
  clip(shape: string): string;
  /** Places a raster. */
  raster(raster: Raster, x: number, y: number, width: number, height: number, attributes?: string): string;
  /** Draws `body` out of focus; `blur` is a radius in the picture's units. */
  soft(body: string, blur: number, attributes?: string): string;
  /**
   * A part of the picture that is costly to draw and does not change in itself. A film draws it once and
   * moves the result, by `PLATE_MARGIN` units at most; a still draws it in place. Assets may not hold assets.
   */
  plate(body: string): string;
  readonly defs: () => string;
  readonly assets: readonly Asset[];
};

/** How far a plate reaches beyond the picture on every side. */
export const PLATE_MARGIN = 24;

const assetMark = (index: number) => `asset:${index}:`;

const plateMark = (index: number) => `<!--plate:${index}-->`;

/** Finds every mark of an asset: a plate's index comes first, else that of an image. */
export const ASSET_MARKS = /<!--plate:(\d+)-->|asset:(\d+):/g;

/** One decimal is a tenth of a pixel: enough, and it keeps documents small. */
export const n = (value: number): string => (Math.round(value * 10) / 10).toString();

export const createInk = (width: number, height: number): Ink => {
  const defs: string[] = [];
  const assets: Asset[] = [];
  const define = (element: string, attributes: string, body: string) => {
    const id = `d${defs.length}`;
    defs.push(`<${element} id="${id}" ${attributes}>${body}</${element}>`);
    return `url(#${id})`;
  };
  const stopsOf = (stops: readonly Stop[]) =>
    stops
      .map((stop, i) => (typeof stop === "string" ? ([i / (stops.length - 1), stop] as const) : stop))
      .map(([place, colour]) => `<stop offset="${place}" stop-color="${colour}"/>`)
      .join("");
  const image = (asset: Asset, box: string, attributes: string) => {
    assets.push(asset);
    return `<image href="${assetMark(assets.length - 1)}" ${box} preserveAspectRatio="none" ${attributes}/>`;
  };
  return {
    linear: (stops, [x1, y1, x2, y2] = [0, 0, 0, 1]) =>
      define("linearGradient", `x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"`, stopsOf(stops)),
    radial: (stops, x = 0.5, y = 0.5, radius = 0.5) =>
      define("radialGradient", `cx="${x}" cy="${y}" r="${radius}"`, stopsOf(stops)),
    clip: (shape) => define("clipPath", "", shape),
    raster: (raster, x, y, w, h, attributes = "") =>
      image({ raster }, `x="${n(x)}" y="${n(y)}" width="${n(w)}" height="${n(h)}"`, attributes),
    soft: (body, blur, attributes = "") =>
      image({ svg: body, blur }, `x="0" y="0" width="${width}" height="${height}"`, attributes),
    plate: (body) => {
      assets.push({ plate: body });
      return plateMark(assets.length - 1);
    },
    defs: () => `<defs>${defs.join("")}</defs>`,
    assets,
  };
};
