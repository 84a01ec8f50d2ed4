import { fade, mix, shade } from "./colour.ts";
import { n } from "./ink.ts";
import { below, circle, many, path, profile } from "./shapes.ts";
import { type Picture, type Stage, sway } from "./stage.ts";

/** A jellyfish: a glowing bell, frills and long threads that follow it. */
export const jellyfish = (stage: Stage, x: number, y: number, size: number): Picture => {
  const { ink, palette, random } = stage;
  const colour = random.pick(palette.accents.slice(0, 4));
  const pale = mix(colour, "#ffffff", 0.6);
  const bell = ink.radial(
    [
      [0, fade("#ffffff", 0.85)],
      [0.45, fade(pale, 0.55)],
      [1, fade(colour, 0.6)],
    ],
    0.5,
    0.25,
    0.75,
  );
  const halo = ink.radial([fade(colour, 0.5), fade(colour, 0)]);
  const beat = random.next();
  const threads = Array.from({ length: 9 }, (_, i) => ({
    x: (i / 8 - 0.5) * 1.5,
    long: random.between(1.5, 2.9),
    beat: random.next(),
    thick: random.between(0.012, 0.045),
  }));
  return (phase) => {
    const squeeze = 1 + 0.07 * sway(phase, beat);
    const top = y + sway(phase, beat + 0.25) * size * 0.12;
    const [w, h] = [size * squeeze, (size * 0.86) / squeeze];
    const arms = threads
      .map(({ x: share, long, beat: own, thick }) => {
        const wave = sway(phase, own) * size * 0.16;
        const [sx, sy] = [x + share * w * 0.55, top + h * 0.08];
        return `<path d="M${n(sx)} ${n(sy)}C${n(sx + wave)} ${n(sy + size * long * 0.3)} ${n(sx - wave * 1.4)} ${n(sy + size * long * 0.65)} ${n(sx + wave * 0.6)} ${n(sy + size * long)}" fill="none" stroke="${fade(pale, 0.5)}" stroke-width="${n(size * thick)}" stroke-linecap="round"/>`;
      })
      .join("");
    const rim = many(
      6,
      (i) =>
        `Q${n(x + w - ((i + 0.5) / 6) * w * 2)} ${n(top + h * 0.26)} ${n(x + w - ((i + 1) / 6) * w * 2)} ${n(top + h * 0.1)}`,
    );
    return (
      circle(x, top, size * 2.1, halo) +
      arms +
      path(
        `M${n(x - w)} ${n(top + h * 0.1)}C${n(x - w)} ${n(top - h * 1.15)} ${n(x + w)} ${n(top - h * 1.15)} ${n(x + w)} ${n(top + h * 0.1)}${rim}Z`,
        bell,
      )
    );
  };
};

/** A school of fish that swims through the picture. */
export const school = (stage: Stage, count: number): Picture => {
  const { palette, random, width, height, unit } = stage;
  const [cx, cy, way] = [
    random.between(0.3, 0.7) * width,
    random.between(0.3, 0.6) * height,
    random.chance(0.5) ? 1 : -1,
  ];
  const tones = [palette.accents[0], palette.accents[1], palette.light].map((tone) =>
    mix(tone as string, palette.haze, 0.2),
  );
  const list = Array.from({ length: count }, () => ({
    x: cx + random.bell() * width * 0.34,
    y: cy + random.bell() * height * 0.2,
    s: unit * random.between(0.00022, 0.00052),
    beat: random.next(),
    tone: random.pick(tones),
  }));
  return (phase) =>
    list
      .map(({ x, y, s, beat, tone }) => {
        const tail = sway(phase * 3, beat) * 9;
        const d = `M48 0C30 -20 -10 -24 -36 -3L-62 ${n(-18 + tail)}L-56 ${n(tail)}L-62 ${n(18 + tail)}L-36 3C-10 24 30 20 48 0Z`;
        return `<g transform="translate(${n(x + sway(phase, beat) * 14)} ${n(y + sway(phase, beat + 0.2) * 6)}) scale(${(s * way).toFixed(3)} ${s.toFixed(3)})"><path d="${d}" fill="${tone}"/></g>`;
      })
      .join("");
};

/** A whale that passes slowly. */
export const whale = (stage: Stage): Picture => {
  const { ink, palette, width, height, unit, random } = stage;
  const way = random.chance(0.5) ? 1 : -1;
  const back = ink.linear([
    [0, mix(palette.deep, palette.haze, 0.55)],
    [0.5, mix(palette.deep, palette.haze, 0.25)],
    [0.75, mix(palette.haze, palette.light, 0.45)],
    [1, palette.haze],
  ]);
  const s = (Math.min(unit, width * 1.1) / 1024) * 1.15;
  return (phase) => {
    const tail = sway(phase) * 16;
    const body = `M330 -6C300 -86 150 -112 20 -92C-110 -74 -220 -34 -300 ${n(-16 + tail * 0.5)}C-340 ${n(-40 + tail)} -380 ${n(-66 + tail)} -408 ${n(-60 + tail)}C-400 ${n(-30 + tail)} -370 ${n(-6 + tail)} -342 ${n(4 + tail)}C-372 ${n(20 + tail)} -392 ${n(44 + tail)} -394 ${n(66 + tail)}C-360 ${n(64 + tail)} -322 ${n(36 + tail)} -296 ${n(14 + tail * 0.5)}C-190 40 -80 76 60 82C200 86 318 62 330 -6Z`;
    return `<g transform="translate(${n(width * 0.52 + sway(phase, 0.1) * 10)} ${n(height * 0.44 + sway(phase, 0.3) * 10)}) rotate(${n(way * -8)}) scale(${(s * way).toFixed(3)} ${s.toFixed(3)})">${path(body, back)}${path("M326 8C240 40 120 44 40 20C120 70 250 74 326 8Z", fade(palette.light, 0.35))}${many(6, (i) => path(`M${310 - i * 10} ${18 + i * 7}C220 ${46 + i * 6} 130 ${50 + i * 5} 70 ${34 + i * 6}`, "none", `stroke="${fade(palette.deep, 0.25)}" stroke-width="2"`))}${path(`M110 50C90 110 40 ${n(150 + tail)} -10 ${n(156 + tail)}C10 120 30 84 40 60Z`, mix(palette.deep, palette.haze, 0.3))}${circle(238, -4, 5, palette.deep)}${circle(240, -5.5, 1.6, "#ffffff")}</g>`;
  };
};

/** Corals and weeds along the bottom, dark against the blue. */
export const reef = (stage: Stage): Picture => {
  const { palette, random, width, height, unit, noise } = stage;
  const start = random.between(0, 50);
  const beds = [0.5, 1].map((near) => {
    const line = profile(
      -20,
      width + 20,
      30,
      (x) => height * (0.93 - near * 0.01) - unit * 0.09 * noise.cloudy(start + near * 9 + (x / unit) * 4, 1, 3),
    );
    return { near, body: path(below(line, height + 9, true), mix(palette.deep, palette.haze, 0.4 - near * 0.28)) };
  });
  const corals = Array.from({ length: 15 }, () => {
    const [x, y] = [random.between(0, width), height * random.between(0.9, 0.99)];
    const [size, colour] = [
      unit * random.between(0.05, 0.13),
      mix(random.pick(palette.accents), palette.deep, random.between(0.1, 0.45)),
    ];
    if (random.chance(0.4))
      return many(
        7,
        (i) =>
          `<path d="M${n(x)} ${n(y)}Q${n(x + (i - 3) * size * 0.1)} ${n(y - size * 0.5)} ${n(x + (i - 3) * size * 0.26)} ${n(y - size * (1 - Math.abs(i - 3) * 0.16))}" fill="none" stroke="${colour}" stroke-width="${n(size * 0.12)}" stroke-linecap="round"/>`,
      );
    return many(5, (i) =>
      circle(
        x + (i - 2) * size * 0.3,
        y - size * (0.25 + 0.14 * ((i * 7) % 3)),
        size * 0.27,
        i % 2 ? colour : shade(colour, 0.12),
      ),
    );
  }).join("");
  const weeds = Array.from({ length: 34 }, () => ({
    x: random.chance(0.5) ? random.next() ** 1.6 * width * 0.45 : width - random.next() ** 1.6 * width * 0.45,
    long: unit * random.between(0.1, 0.34),
    beat: random.next(),
    tone: mix(palette.leaf[random.whole(0, 1)] as string, palette.deep, random.between(0.2, 0.6)),
  }));
  return (phase) =>
    (beds[0]?.body ?? "") +
    weeds
      .map(({ x, long, beat, tone }) => {
        const bend = (0.3 * Math.sin(beat * 20) + sway(phase, beat) * 0.16) * long;
        const y = height * 1.01;
        const w = long * 0.035;
        return path(
          `M${n(x - w)} ${n(y)}C${n(x - w - bend * 0.5)} ${n(y - long * 0.4)} ${n(x + bend)} ${n(y - long * 0.6)} ${n(x + bend * 0.6)} ${n(y - long)}C${n(x + bend + w * 2)} ${n(y - long * 0.6)} ${n(x + w * 2 - bend * 0.5)} ${n(y - long * 0.4)} ${n(x + w)} ${n(y)}Z`,
          tone,
        );
      })
      .join("") +
    corals +
    (beds[1]?.body ?? "");
};
