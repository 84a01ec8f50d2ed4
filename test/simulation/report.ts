import type { Report } from "./simulation.ts";

/** One line a run: what was simulated, and how fast. */
export const lineOf = (report: Report, ms: number): string => {
  const { seed, jobs, nodes, attempts, bills, pauses, crashedAt, transitions, steps, simulatedHours, ends } = report;
  const crashes = [...crashedAt.values()].reduce((sum, count) => sum + count, 0);
  return [
    `seed ${seed}: ${jobs} jobs on ${nodes} node${nodes === 1 ? "" : "s"}`,
    `${crashes} crashes at ${crashedAt.size} boundaries`,
    `${transitions} transitions, ${attempts} attempts, ${bills} bills, ${pauses} pauses`,
    Object.entries(ends)
      .map(([word, count]) => `${count} ${word}`)
      .sort()
      .join(" "),
    `${simulatedHours.toFixed(2)} simulated hours`,
    `${steps} steps in ${(ms / 1000).toFixed(1)} s, ${Math.round((1000 * steps) / ms)} steps per second`,
  ].join(" · ");
};
