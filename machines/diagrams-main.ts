/** `npm run diagrams`: writes README.md. */
import { writeFileSync } from "node:fs";
import { machinesReadme } from "./readme.ts";

writeFileSync(new URL("./README.md", import.meta.url), machinesReadme());
