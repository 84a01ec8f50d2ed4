import { existsSync, readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

const inRoot = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** The Deno that runs the tests, else the one from npm, also where npm has run no install scripts. */
export const denoBinary = (): string => {
  if ("Deno" in globalThis) return process.execPath;
  const packages = inRoot("node_modules/@deno/");
  const found = readdirSync(packages).map((name) => `${packages}${name}/deno`);
  return found.find((path) => existsSync(path)) ?? inRoot("node_modules/.bin/deno");
};

/** What a task of deno.json runs, as a line of shell. */
export const denoTask = (name: "start" | "migrate"): string => {
  const { tasks } = JSON.parse(readFileSync(inRoot("deno.json"), "utf8")) as { tasks: Record<string, string> };
  return tasks[name] ?? "";
};
