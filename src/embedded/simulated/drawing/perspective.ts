import type { Stage } from "./stage.ts";

/** A street in one-point perspective: `x` and `y` in street widths from the axis and the ground, `z` 1 is nearest. */
export const projection =
  ({ width, height, unit }: Stage, horizon: number) =>
  (x: number, y: number, z: number): [number, number] => {
    const scale = 1 / z;
    return [width / 2 + x * unit * 0.62 * scale, horizon + (height * 1.06 - horizon) * scale - y * unit * 0.62 * scale];
  };

export type Project = ReturnType<typeof projection>;

/** A wall panel along the street as a closed path: at `x`, from height `y0` to `y1`, from depth `z0` to `z1`. */
export const quad = (project: Project, x: number, y0: number, y1: number, z0: number, z1: number): string => {
  const points = [project(x, y0, z0), project(x, y1, z0), project(x, y1, z1), project(x, y0, z1)];
  return `M${points.map(([px, py]) => `${px.toFixed(1)} ${py.toFixed(1)}`).join("L")}Z`;
};
