import { fade, mix, shade } from "./colour.ts";
import { n } from "./ink.ts";
import { circle, many, path } from "./shapes.ts";
import { type Picture, type Stage, sway } from "./stage.ts";

const branch = (stage: Stage): string => {
  const { palette, random, ink } = stage;
  const bark = mix(mix("#6b4a35", palette.deep, palette.dark ? 0.6 : 0.3), palette.haze, 0.08);
  const leaves = many(20, (i) => {
    const x = -300 + i * 33 + random.bell() * 14;
    if (Math.abs(x) < 70) return "";
    const [turn, long] = [random.between(-70, 70) + (i % 2 ? 180 : 0), random.between(34, 58)];
    const tone = mix(palette.leaf[random.whole(0, 2)] as string, palette.deep, palette.dark ? 0.5 : 0.05);
    return `<path transform="translate(${n(x)} ${n(4 - x * 0.03)}) rotate(${n(turn - 90)})" d="M0 0Q${n(long * 0.5)} ${n(-long * 0.3)} ${n(long)} 0Q${n(long * 0.5)} ${n(long * 0.3)} 0 0Z" fill="${tone}"/>`;
  });
  return (
    path(
      "M-420 26C-220 -2 -60 12 60 2C180 -8 300 -14 420 -46L420 -34C300 0 180 10 60 22C-60 34 -220 22 -420 52Z",
      ink.linear([shade(bark, 0.18), shade(bark, -0.4)]),
    ) + leaves
  );
};

/** A small round songbird on a branch, `scale` 1 being about 200 units tall; it turns its head and flicks its tail. */
export const branchBird = (stage: Stage, x: number, y: number, scale: number): Picture => {
  const { ink, palette, random, reading } = stage;
  const dim = palette.dark ? 0.4 : 0.06;
  const main = mix(reading.colour ?? random.pick(["#4f7fb0", "#b5533c", "#6b8f5a", "#d9a441"]), palette.deep, dim);
  const chest = mix(mix(random.pick(["#f0a55a", "#f4e3c4", "#e8765a"]), palette.glow, 0.15), palette.deep, dim);
  const back = ink.linear([shade(main, 0.22), shade(main, -0.4)]);
  const front = ink.linear([shade(chest, 0.15), mix(chest, palette.deep, 0.3)]);
  const twig = branch(stage);
  const feathers = many(5, (i) =>
    path(
      `M${-8 - i * 9} ${-78 + i * 9}C${-40 - i * 12} ${-70 + i * 12} ${-70 - i * 9} ${-44 + i * 11} ${-92 - i * 4} ${-14 + i * 8}C${-60 - i * 6} ${-24 + i * 7} ${-28 - i * 6} ${-36 + i * 7} ${-8 - i * 6} ${-62 + i * 8}Z`,
      i % 2 ? shade(main, -0.3) : shade(main, -0.12),
    ),
  );
  return (phase) => {
    const flick = sway(phase * 2) * 3;
    const nod = sway(phase) * 2.5;
    return (
      `<g transform="translate(${n(x)} ${n(y)}) scale(${scale.toFixed(3)})">${twig}` +
      `<g stroke="${shade("#6b4a35", -0.3)}" stroke-width="4" stroke-linecap="round" fill="none"><path d="M-8 -24V8M14 -24V6M-18 9H2M4 7H24"/></g>` +
      `<g transform="rotate(${n(flick)} -50 -50)">${path("M-52 -58L-150 12L-136 22L-124 20L-38 -30Z", shade(main, -0.35))}</g>` +
      path("M58 -128C84 -96 78 -22 8 -16C-58 -14 -84 -56 -62 -94C-44 -122 -16 -120 4 -150Z", back) +
      path("M62 -118C80 -84 70 -24 12 -20C-14 -20 -24 -44 -4 -72C14 -94 34 -100 44 -120Z", front) +
      feathers +
      `<g transform="rotate(${n(nod)} 34 -130)">${circle(34, -140, 44, back)}${path("M30 -118C40 -132 62 -140 76 -134C74 -110 52 -92 32 -98Z", front)}${path("M74 -148L104 -138L74 -128Z", "#e8a33a")}${path("M74 -137L103 -138L74 -128Z", "#b9762a")}${circle(50, -148, 8.5, "#15110f")}${circle(53, -151, 2.8, "#ffffff")}${path("M-4 -158C10 -186 56 -190 70 -160C50 -174 18 -174 -4 -158Z", fade(palette.glow, 0.35))}</g>` +
      path("M-60 -92C-42 -122 -16 -120 4 -150C-8 -112 -40 -104 -60 -92Z", fade(palette.glow, 0.3)) +
      "</g>"
    );
  };
};

/** An owl on a branch that blinks. */
export const owl = (stage: Stage, x: number, y: number, scale: number): Picture => {
  const { ink, palette, random, reading } = stage;
  const dim = palette.dark ? 0.35 : 0.06;
  const main = mix(reading.colour ?? random.pick(["#8a6a4c", "#6d6a72", "#b59a78"]), palette.deep, dim);
  const pale = mix("#efe0c6", palette.deep, dim);
  const coat = ink.linear([shade(main, 0.2), main, shade(main, -0.45)], [0, 0, 1, 0.4]);
  const disc = ink.radial([
    [0, pale],
    [0.8, mix(pale, main, 0.25)],
    [1, mix(pale, main, 0.7)],
  ]);
  const iris = ink.radial([
    [0, "#ffd75a"],
    [0.75, "#f09a1f"],
    [1, "#8a4a0c"],
  ]);
  const twig = branch(stage);
  const scales = many(28, (i) => {
    const [row, column] = [Math.floor(i / 7), i % 7];
    const px = (column - 3 + (row % 2) * 0.5) * 16;
    const py = -96 + row * 21;
    return Math.abs(px) > 52 - row * 4
      ? ""
      : `<path d="M${n(px - 8)} ${n(py)}Q${n(px)} ${n(py + 17)} ${n(px + 8)} ${n(py)}" fill="none" stroke="${fade(shade(main, -0.3), 0.75)}" stroke-width="3" stroke-linecap="round"/>`;
  });
  return (phase) => {
    const blink = phase > 0.6 && phase < 0.7;
    const eye = (side: number) =>
      circle(side * 30, -158, 25, "#1a1412") +
      circle(side * 30, -158, 22, iris) +
      circle(side * 30, -158, 11, "#0d0a09") +
      circle(side * 30 - 5, -164, 4, "#ffffff") +
      (blink ? circle(side * 30, -158, 25, main) : "");
    return (
      `<g transform="translate(${n(x)} ${n(y)}) scale(${scale.toFixed(3)})">${twig}` +
      `<g transform="rotate(${n(sway(phase) * 1.6)} 0 -60)">` +
      path(
        "M-68 -196C-84 -120 -78 -30 -30 4H30C78 -30 84 -120 68 -196C56 -186 40 -196 0 -196C-40 -196 -56 -186 -68 -196Z",
        coat,
      ) +
      path("M-44 -112C-46 -60 -28 -14 0 -6C28 -14 46 -60 44 -112Z", fade(pale, 0.85)) +
      scales +
      path("M-68 -130C-92 -90 -84 -26 -46 6C-62 -40 -58 -90 -44 -122Z", shade(main, -0.25)) +
      path("M68 -130C92 -90 84 -26 46 6C62 -40 58 -90 44 -122Z", shade(main, -0.45)) +
      path(
        "M-72 -214C-60 -196 -38 -198 0 -176C38 -198 60 -196 72 -214C74 -176 60 -112 0 -112C-60 -112 -74 -176 -72 -214Z",
        coat,
      ) +
      circle(-30, -158, 36, disc) +
      circle(30, -158, 36, disc) +
      eye(-1) +
      eye(1) +
      path("M0 -150L-9 -136L0 -116L9 -136Z", "#d99a3a") +
      path(
        "M-76 -214C-60 -204 -30 -196 -6 -170L0 -176C-22 -200 -46 -206 -76 -214ZM76 -214C60 -204 30 -196 6 -170L0 -176C22 -200 46 -206 76 -214Z",
        shade(main, -0.35),
      ) +
      `</g><g stroke="#d99a3a" stroke-width="8" stroke-linecap="round"><path d="M-26 2v12M-16 4v12M16 4v12M26 2v12"/></g></g>`
    );
  };
};
