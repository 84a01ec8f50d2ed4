import { fade, mix, shade } from "./colour.ts";
import { circle, ellipse, path, rect } from "./shapes.ts";
import type { Stage } from "./stage.ts";

/** A low car from behind, about 200 wide around (0, 0), standing on y = 0; its lights are on in the dark. */
export const car = (stage: Stage): string => {
  const { ink, palette, random } = stage;
  const paint = stage.reading.colour ?? random.pick(palette.accents.slice(0, 4));
  const body = ink.linear([
    [0, mix(paint, "#ffffff", 0.25)],
    [0.4, paint],
    [1, shade(paint, -0.55)],
  ]);
  const glass = ink.linear([
    mix(palette.sky[1] as string, palette.deep, 0.3),
    mix(palette.sky[palette.sky.length - 1] as string, palette.deep, 0.45),
  ]);
  const lamp = ink.linear(["#ff8a7a", "#ff2a2a", "#a30d18"]);
  const halo = ink.radial([fade("#ff3b3b", 0.7), fade("#ff3b3b", 0)]);
  const dark = mix(palette.deep, "#000000", 0.5);
  return (
    ellipse(0, 0, 122, 11, fade("#000000", 0.5)) +
    rect(-92, -26, 34, 28, dark, `rx="7"`) +
    rect(58, -26, 34, 28, dark, `rx="7"`) +
    path(
      "M-104 -20C-108 -46 -104 -62 -90 -66L-62 -98C-56 -106 56 -106 62 -98L90 -66C104 -62 108 -46 104 -20C104 -10 96 -8 90 -8H-90C-96 -8 -104 -10 -104 -20Z",
      body,
    ) +
    path("M-72 -68L-54 -93C-50 -98 50 -98 54 -93L72 -68Z", glass) +
    path("M-98 -60C-60 -66 60 -66 98 -60L96 -56C60 -61 -60 -61 -96 -56Z", fade("#ffffff", 0.35)) +
    rect(-98, -52, 50, 13, lamp, `rx="5"`) +
    rect(48, -52, 50, 13, lamp, `rx="5"`) +
    rect(-46, -49, 92, 3, "#ff4a4a") +
    rect(-24, -36, 48, 12, mix("#ffffff", palette.haze, 0.4), `rx="2"`) +
    rect(-78, -22, 156, 11, dark, `rx="5"`) +
    circle(-73, -46, palette.dark ? 72 : 44, halo) +
    circle(73, -46, palette.dark ? 72 : 44, halo)
  );
};
