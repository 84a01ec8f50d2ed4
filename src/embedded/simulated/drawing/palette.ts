import { mix } from "./colour.ts";

/** The colours of one light. `sky` runs from the zenith to the horizon; `leaf` from dark to light. */
export type Palette = {
  sky: readonly string[];
  /** The sun, the moon, the lamp. */
  glow: string;
  /** What distance fades into. */
  haze: string;
  deep: string;
  light: string;
  leaf: readonly string[];
  accents: readonly string[];
  /** It is night, or as dark: stars may show and windows are lit. */
  dark: boolean;
};

const palette = (
  sky: string,
  [glow, haze, deep, light]: [string, string, string, string],
  leaf: string,
  accents: string,
  dark = false,
): Palette => ({
  sky: sky.split(" "),
  glow,
  haze,
  deep,
  light,
  leaf: leaf.split(" "),
  accents: accents.split(" "),
  dark,
});

export const PALETTES = {
  dawn: palette(
    "#54719f #a79ab8 #efb9ad #ffdcb4",
    ["#fff1d6", "#e6bdbb", "#27304b", "#fff3e2"],
    "#3f5f58 #768c6e #c6bb8c",
    "#ee8a78 #f6c49b #7a82b0 #dfe6df #b05f76",
  ),
  day: palette(
    "#2876bd #6db2e0 #cfe8f2",
    ["#fffbe6", "#b9d6e6", "#1b3a4c", "#ffffff"],
    "#2b6446 #579655 #a8c46a",
    "#ef5d4c #ffb41f #1c9a8c #2e6fdc #f7efe2",
  ),
  warm: palette(
    "#6d4036 #c9773f #f7b865 #ffe3a4",
    ["#fff0c2", "#efb677", "#351a16", "#ffedc9"],
    "#5d4c25 #a17a2c #ddae4b",
    "#c4513a #f08c38 #ffd39f #5a8a88 #7b3a2d",
  ),
  sunset: palette(
    "#22265a #713c84 #e25c78 #ff9f62 #ffd28a",
    ["#ffeab4", "#e5837c", "#181230", "#ffd9a8"],
    "#2a2440 #6b3b58 #c96a5f",
    "#ff6a6a #ffa64b #825bc0 #ffd166 #2c2a5a",
  ),
  dusk: palette(
    "#141a42 #3b3c80 #9a628f #eda188",
    ["#ffe2be", "#806a9a", "#0f1229", "#ffd7b2"],
    "#1d2540 #3c456c #7c6c92",
    "#ff9a76 #ffd08a #6c7ae0 #c38ec7 #3bb4c1",
    true,
  ),
  night: palette(
    "#050a1c #0c1b40 #1f3b69 #3d6291",
    ["#f1f5ff", "#2c4a75", "#040711", "#cfe0ff"],
    "#0d1f2c #1b3947 #3d6670",
    "#ffcb6b #7fb2ff #c792ea #f78c6c #89ddff",
    true,
  ),
  neon: palette(
    "#080318 #21083f #5c1273 #d6237f",
    ["#ff86dc", "#54207a", "#06030d", "#86f4ff"],
    "#12203f #2b2f78 #7a3fa8",
    "#ff2e97 #00e0ff #9a4dff #ffd84a #2dffb3",
    true,
  ),
  pastel: palette(
    "#b7d0f0 #dcd0ef #f7dfe0 #fdeedd",
    ["#fffaf0", "#e6dbef", "#5f5a86", "#fffdf8"],
    "#8fbfa8 #b6d9b8 #dcecc4",
    "#f6b3c1 #aee3d2 #c2caea #ffd6b8 #ffe7a3",
  ),
  noir: palette(
    "#0b0c0e #26292d #666b71 #a9adb0",
    ["#f6f6f3", "#5f646a", "#060708", "#f1f1ed"],
    "#1c1e21 #44484d #85898d",
    "#efefec #b7babd #74797e #33373b #d8d8d4",
    true,
  ),
  autumn: palette(
    "#5d8cab #b5c3bd #f3dcb0",
    ["#fff0c6", "#d9b487", "#36211a", "#ffe8bf"],
    "#9c2f1d #d5642a #f0a830",
    "#b5412d #de872e #f1c04d #6c7a4a #7a3e2a",
  ),
  spring: palette(
    "#76bfe6 #b9e1ee #f3f4ea",
    ["#fffdf0", "#cfe7e0", "#2b4b43", "#ffffff"],
    "#4d9456 #8cc76f #d6e79a",
    "#f18bae #ffd552 #f7b7cf #c88fd8 #ff877c",
  ),
  winter: palette(
    "#6f93b8 #aac5dc #e4edf4",
    ["#fffdf4", "#c6d9e7", "#263c53", "#ffffff"],
    "#3d5a73 #7795ad #dfeaf2",
    "#d1495b #edae49 #66a1c9 #a9c6d9 #2e4057",
  ),
  vintage: palette(
    "#6f9089 #b8bb9b #edd9ac",
    ["#fdedc4", "#c7b995", "#36332f", "#f6e6c4"],
    "#4d5b45 #7f8a5c #b8b07a",
    "#be6369 #d2b180 #47a5a2 #4280a2 #e6dcc8",
  ),
  storm: palette(
    "#222e39 #4a5c68 #93a4a8 #c0cac6",
    ["#eef3ee", "#788b95", "#141c24", "#dde6e4"],
    "#22352f #3f5a4d #76897a",
    "#e0a458 #7a9e9f #b8d8d8 #4f6367 #eef5db",
  ),
  minimal: palette(
    "#dcd4c8 #ebe5db #f6f2ea",
    ["#ffffff", "#d8cfc2", "#453f39", "#ffffff"],
    "#6f7f70 #9aa893 #c9cfb9",
    "#c5764f #dab694 #8a9a8b #33393c #e9dbc8",
  ),
  ocean: palette(
    "#063a55 #0b6b86 #4bb3b4 #c4ece0",
    ["#f0fff8", "#5fb2b6", "#04202f", "#dffaf2"],
    "#0f5a55 #2b8f7c #86cfa7",
    "#ff7f66 #ffd166 #06a5a0 #118ab2 #f1faee",
  ),
  fire: palette(
    "#160708 #4c0f12 #b3301b #ff8a2b",
    ["#fff0b8", "#8a2a1c", "#0c0405", "#ffd08a"],
    "#2b1210 #6b241a #c1542a",
    "#ff4d1f #ff9f1c #ffd23f #8c1c13 #fbe5c8",
    true,
  ),
  emerald: palette(
    "#0e3b34 #2f7a5f #93c49a #e5efc9",
    ["#fcffe6", "#9fc6a4", "#08221e", "#f5fbe0"],
    "#14503c #3a8a55 #9cc56b",
    "#e9c46a #2a9d8f #f4a261 #8ab17d #fefae0",
  ),
  fantasy: palette(
    "#150f3d #43289a #a259c4 #f5a9c8",
    ["#fdf0ff", "#8464c0", "#100a2b", "#f4dcff"],
    "#23306b #3f78a0 #7fd6c2",
    "#ff8fd0 #7df0d8 #ffd97a #8f7bff #f5c8ff",
    true,
  ),
  candy: palette(
    "#6a5cff #ff7ac6 #ffc078 #fff0b3",
    ["#fffbe0", "#ffb1cf", "#3a1c62", "#fff7ea"],
    "#25a18e #7bd389 #e3f09b",
    "#ff4f9a #ffd23f #3bceac #7161ef #ff7f50",
  ),
  desert: palette(
    "#3f7fb0 #93bccb #f2d9b1",
    ["#fff6d8", "#e5c093", "#5b2c1d", "#ffe9bf"],
    "#5f6a3a #8f9150 #c7bd7a",
    "#d1603d #e8a15c #f4d19b #8c4a32 #3f88a5",
  ),
} satisfies Record<string, Palette>;

export type Mood = keyof typeof PALETTES;

const blend = (a: readonly string[], b: readonly string[], share: number): string[] => {
  const length = Math.max(a.length, b.length);
  const at = (colours: readonly string[], i: number) =>
    colours[Math.round((i / Math.max(1, length - 1)) * (colours.length - 1))] as string;
  return Array.from({ length }, (_, i) => mix(at(a, i), at(b, i), share));
};

/** The light of `from` with `share` of `to` in it. */
export const mixPalettes = (from: Palette, to: Palette, share: number): Palette => ({
  sky: blend(from.sky, to.sky, share),
  glow: mix(from.glow, to.glow, share),
  haze: mix(from.haze, to.haze, share),
  deep: mix(from.deep, to.deep, share),
  light: mix(from.light, to.light, share),
  leaf: blend(from.leaf, to.leaf, share),
  accents: share < 0.5 ? from.accents : to.accents,
  dark: share < 0.5 ? from.dark : to.dark,
});
