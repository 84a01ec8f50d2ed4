import process from "node:process";
import { startPostgres } from "../../src/embedded/postgres.ts";
import { createLog } from "../../src/log.ts";

/** A Darkroom reduced to its database, for tests that kill it: `postgres-holder.ts DATA_DIR [guard]`. */
const [, , dataDir = "", guard] = process.argv;
const server = await startPostgres({ dataDir, log: createLog("silent"), guard: guard as "setpriv" | undefined }).catch(
  (error: Error) => {
    console.log(JSON.stringify({ error: error.message }));
    process.exit(1);
  },
);
console.log(JSON.stringify({ url: server.url }));
setInterval(() => {}, 1000);
