/** `npm run bench:smoke`: the short form of every bench, after the check. */
import process from "node:process";
import { runAll } from "../prove/run-all.ts";
import { untilSignal } from "../prove/until-signal.ts";
import { SHORT_BENCHES } from "./benches.ts";

const say = (line: string) => void process.stdout.write(`${line}\n`);
const passed = await runAll(SHORT_BENCHES, say, untilSignal());
process.exitCode = passed ? 0 : 1;
