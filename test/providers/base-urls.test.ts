import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConfigError, readConfig } from "../../src/config.ts";

const production = { NODE_ENV: "production", JWT_SECRET: "0123456789abcdefghijklmnopqrstuvwxyz" };

describe("the base URL of a provider", () => {
  for (const name of ["HIGGSFIELD_BASE_URL", "REPLICATE_BASE_URL", "FAL_BASE_URL"]) {
    it(`may be plain http for an emulator, but not in production: ${name}`, () => {
      const emulator = { [name]: "http://127.0.0.1:4010" };
      assert.doesNotThrow(() => readConfig(emulator));
      assert.throws(
        () => readConfig({ ...production, ...emulator }),
        (error: unknown) =>
          error instanceof ConfigError && error.problems.join() === `${name} must be https in production`,
      );
      assert.doesNotThrow(() => readConfig({ ...production, [name]: "https://proxy.example.com" }));
    });
  }
});
