import process from "node:process";
import { fileURLToPath } from "node:url";

/** The Bun that runs the tests, or the one from npm where something else runs them. */
export const bunBinary = (): string =>
  "Bun" in globalThis ? process.execPath : fileURLToPath(new URL("../../node_modules/.bin/bun", import.meta.url));
