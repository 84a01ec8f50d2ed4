/** `npm run bench:smoke`: the short form of every bench, after the check. */
import process from "node:process";
import { runAll } from "../prove/run-all.ts";
import { SHORT_BENCHES } from "./benches.ts";

const passed = await runAll(SHORT_BENCHES, (line) => process.stdout.write(`${line}\n`));
process.exitCode = passed ? 0 : 1;
