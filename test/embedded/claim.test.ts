import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { claim } from "../../src/embedded/postgres-claim.ts";
import { temporaryDirectory } from "../support/directory.ts";

describe("the claim on a directory", () => {
  let directory: string;
  before(async () => {
    directory = await temporaryDirectory();
  });
  after(() => rm(directory, { recursive: true, force: true }));

  it("is refused while somebody holds it who says so, and names him", async () => {
    const path = join(directory, "held.sock");
    const held = await claim(path, directory);
    await assert.rejects(claim(path, directory), new RegExp(`another Darkroom \\(pid ${process.pid}\\)`));
    await held.release();
    await (await claim(path, directory)).release();
  });

  it("waits for a holder that is mute, because he may be what a killed Darkroom has left", async () => {
    const path = join(directory, "mute.sock");
    const sockets: Socket[] = [];
    const mute = createServer((socket) => {
      sockets.push(socket);
      // He ends as a process does: all that he had is closed at once.
      mute.close();
      for (const one of sockets) one.destroy();
    });
    await new Promise<void>((resolve) => mute.listen(path, resolve));
    const taken = await claim(path, directory);
    await taken.verify();
    await taken.release();
  });
});
