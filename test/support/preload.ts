import { after } from "node:test";
import { stopCluster } from "./postgres.ts";

/** Loaded by `bun test` once per run (bunfig.toml): runs when the last file is done. */
after(stopCluster);
