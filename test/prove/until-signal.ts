import process from "node:process";

/** Aborts when this process is asked to stop. */
export const untilSignal = (): AbortSignal => {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stop.abort(new Error("stopped")));
  return stop.signal;
};
