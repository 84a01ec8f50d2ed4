import { readConfig } from "../../src/config.ts";

/** The defaults, but for a shorter wait in the queue: so that some jobs end there. */
export const CONFIG = readConfig({ LOG_LEVEL: "silent", START_TIMEOUT_MS: "900000" });
