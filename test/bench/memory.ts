import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";

/** The kernel's own record of the highest RSS, which no sampling can miss. Linux only; null elsewhere. */
const highWater = (pid: number): number | null => {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return kilobytes ? Number(kilobytes) * 1024 : null;
  } catch {
    return null;
  }
};

const forgetHighWater = (pid: number): boolean => {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, "5");
    return true;
  } catch {
    return false;
  }
};

const SAMPLE_MS = 5;

/** Resolves to how far the RSS of this process rose above where it stood, in bytes, while `work` was done. */
export const extraMemory = async (work: () => Promise<void>): Promise<number> => {
  const before = process.memoryUsage.rss();
  const exact = forgetHighWater(process.pid);
  let peak = before;
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, SAMPLE_MS);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return Math.max(peak, process.memoryUsage.rss(), exact ? (highWater(process.pid) ?? 0) : 0) - before;
};

/** The same of another process. Linux only: rejects elsewhere. */
export const extraMemoryOf = async (pid: number, work: () => Promise<void>): Promise<number> => {
  const before = forgetHighWater(pid) ? highWater(pid) : null;
  if (before === null) throw new Error("the memory of another process is read from /proc, which is not here");
  await work();
  return (highWater(pid) ?? 0) - before;
};
