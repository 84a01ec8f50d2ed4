/** `npm run diagrams`: prints what README.md has to say. */
import process from "node:process";
import { machinesReadme } from "./readme.ts";

process.stdout.write(machinesReadme());
