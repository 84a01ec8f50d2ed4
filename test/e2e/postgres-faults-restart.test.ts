import { describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { startOwnServer } from "../faults/server.ts";
import { FAULT_MS, underLoad } from "../faults/world.ts";

const EVERY_MS = 1_500;

describe("a PostgreSQL that is restarted under load", () => {
  for (const [how, signal] of [
    ["shut down", "SIGINT"],
    ["killed", "SIGKILL"],
  ] as const) {
    it(`costs 503s at most when it is ${how}, again and again`, async () => {
      await using server = await startOwnServer();
      await underLoad(
        `server ${how}`,
        async () => {
          await server.signal(signal);
          for (const until = performance.now() + FAULT_MS; performance.now() < until; ) {
            await wait(EVERY_MS);
            await server.signal(signal);
          }
        },
        { database: server.database },
      );
    });
  }
});
