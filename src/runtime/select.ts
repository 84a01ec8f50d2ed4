import type { Listening, ListenOptions, Served } from "../streams/session.ts";

/** Binds a port with whatever runtime we are on: Bun, or Deno. */
export const listen = async (options: ListenOptions, app: Served): Promise<Listening> => {
  const runtime = "Bun" in globalThis ? await import("./bun.ts") : await import("./deno.ts");
  return runtime.listen(options, app);
};
