/**
 * An embedded S3 on the directory `DIR`, with a fault (`kill` or `full`) at the `FAULT_AT`th change that requests make.
 * When it is stopped its machine loses power. Needs Bun.
 */
import { readFile } from "node:fs/promises";
import process from "node:process";
import { untilAlone } from "../bench/neighbour.ts";
import { failAt, losePower } from "./mortal-fs.ts";

type Load = (file: { path: string }) => Promise<{ contents: string; loader: "ts" }>;
type Plugin = { name: string; setup(build: { onLoad(of: { filter: RegExp }, load: Load): void }): void };

const MORTAL = new URL("mortal-fs.ts", import.meta.url).pathname;

(globalThis as unknown as { Bun: { plugin(plugin: Plugin): void } }).Bun.plugin({
  name: "mortal-fs",
  setup: (build) =>
    build.onLoad({ filter: /\/src\/embedded\/s3\/\w+\.ts$/ }, async ({ path }) => ({
      contents: (await readFile(path, "utf8")).replaceAll('"node:fs/promises"', JSON.stringify(MORTAL)),
      loader: "ts",
    })),
});

const { startEmbedded } = await import("../storage/targets.ts");
const { close, s3: _, ...target } = await startEmbedded({ dir: process.env.DIR });
untilAlone(async () => {
  await close();
  losePower();
});
failAt(Number(process.env.FAULT_AT), process.env.FAULT === "full" ? "full" : "kill");
process.stdout.write(`${JSON.stringify(target)}\n`);
