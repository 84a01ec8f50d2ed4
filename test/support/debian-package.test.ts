import assert from "node:assert/strict";
import process from "node:process";
import { describe, it } from "node:test";
import { findProgram, getProgram } from "./debian-package.ts";

const SHELL = { name: "dash", program: "bin/sh" };
const ABSENT = { name: "darkroom-absent", program: "usr/sbin/darkroom-absent" };

describe("a program that tests need", () => {
  it("is found where it is installed", async () => {
    assert.match((await findProgram(SHELL)) ?? "", /\/sh$/);
    assert.equal(await findProgram(ABSENT), undefined);
  });

  it("that cannot be had fails, and says how to install it", async () => {
    const { PATH } = process.env;
    process.env.PATH = "/nonexistent";
    try {
      await assert.rejects(
        getProgram(ABSENT, "these tests"),
        /^Error: these tests need darkroom-absent\. Install it with: {2}sudo apt-get install darkroom-absent/,
      );
    } finally {
      process.env.PATH = PATH;
    }
  });
});
