import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { chmod, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import sharp from "sharp";
import { admitAttachment } from "../../src/storage/admit-attachment.ts";
import { grabPoster } from "../../src/storage/poster.ts";
import { storeOutput } from "../../src/storage/store-output.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { startEmbedded, storageOn } from "./targets.ts";

const OWNER = "00000000-0000-0000-0000-000000000001";
const MP4 = Buffer.concat([Buffer.from("\0\0\0\x18ftypisom\0\0\x02\0isommp42", "latin1"), Buffer.alloc(5000, 7)]);
const never = new AbortController().signal;

const alive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe("a poster", { timeout: 60_000 }, () => {
  let target: Awaited<ReturnType<typeof startEmbedded>>;
  let storage: ReturnType<typeof storageOn>;
  let directory: string;

  before(async () => {
    target = await startEmbedded();
    storage = storageOn(target);
    directory = await temporaryDirectory();
    const frame = sharp({ create: { width: 1280, height: 720, channels: 3, background: "#36c" } });
    await writeFile(join(directory, "frame.png"), await frame.png().toBuffer());
  });
  after(async () => {
    storage.close();
    await target.close();
    await rm(directory, { recursive: true, force: true });
  });

  /** Stands in for ffmpeg: a shell script, run where its pictures are. */
  const program = async (name: string, script: string) => {
    const path = join(directory, name);
    await writeFile(path, `#!/bin/sh\ncd "${directory}" || exit 9\n${script}\n`);
    await chmod(path, 0o755);
    return path;
  };
  const store = (ffmpeg: string, bytes = MP4) =>
    storeOutput({
      storage,
      owner: OWNER,
      download: async () => ({ body: Readable.from([bytes]) }),
      maxBytes: 1_000_000,
      signal: never,
      tmpDir: join(directory, "tmp"),
      ffmpeg,
    });

  it("of a video is stored beside it as still WebPs, and the video stands for itself", async () => {
    const stored = await store(await program("good", "cat frame.png"));
    assert.equal(stored.min_key, stored.raw_key);
    assert.deepEqual(
      stored.thumbnails.map(({ key, width, height }) => [key.split(".").slice(-2).join("."), width, height]),
      [
        ["256.webp", 256, 144],
        ["512.webp", 512, 288],
        ["1280.webp", 1280, 720],
      ],
    );
    const poster = await sharp(await buffer(await storage.get(stored.thumbnails[2]?.key ?? ""))).metadata();
    assert.deepEqual([poster.format, poster.width, poster.height], ["webp", 1280, 720]);
  });

  it("of a video that was uploaded is stored beside it in the same way", async () => {
    await storage.put("uploads/film", MP4, { size: MP4.length, mime: "video/mp4" });
    const admitted = await admitAttachment({
      storage,
      uploadKey: "uploads/film",
      owner: OWNER,
      declared: { mime: "video/mp4" },
      maxBytes: 1_000_000,
      signal: never,
      tmpDir: join(directory, "tmp"),
      ffmpeg: await program("good", "cat frame.png"),
    });
    assert.ok(admitted.ok);
    assert.deepEqual(
      admitted.thumbnails.map(({ key, width, height }) => [key.replace(admitted.sha256, "sha"), width, height]),
      [
        [`attachments/${OWNER}/sha.256.webp`, 256, 144],
        [`attachments/${OWNER}/sha.512.webp`, 512, 288],
        [`attachments/${OWNER}/sha.1280.webp`, 1280, 720],
      ],
    );
    for (const { key } of admitted.thumbnails) assert.ok(await storage.stat(key));
  });

  it("is asked for without a shell, without our secrets, and with the file as the only thing to read", async () => {
    const ffmpeg = await program("curious", 'printf "%s\\n" "$@" > asked; env > known; cat frame.png');
    process.env.POSTER_SECRET = "hunter2";
    await grabPoster("/tmp/$(touch pwned).mp4", "video/mp4", 1280, { ffmpeg, signal: never });
    delete process.env.POSTER_SECRET;
    const asked = (await readFile(join(directory, "asked"), "utf8")).split("\n");
    assert.equal(asked[asked.indexOf("-i") + 1], "file:/tmp/$(touch pwned).mp4");
    assert.equal(asked[asked.indexOf("-protocol_whitelist") + 1], "file");
    assert.equal(asked[asked.indexOf("-f") + 1], "mov", "no other demuxer may be guessed");
    assert.ok(!(await readFile(join(directory, "known"), "utf8")).includes("hunter2"));
  });

  it("is not missed where there is no ffmpeg, where it fails and where it shows nothing", async () => {
    const programs = [
      join(directory, "nonexistent"),
      await program("failing", "cat frame.png; exit 1"),
      await program("mute", "exit 0"),
      await program("chatty", "echo hello"),
    ];
    for (const [n, ffmpeg] of programs.entries()) {
      const stored = await store(ffmpeg, Buffer.concat([MP4, Buffer.from([n])]));
      assert.deepEqual([stored.mime, stored.min_key, stored.thumbnails], ["video/mp4", stored.raw_key, []]);
    }
  });

  it("is not waited for longer than its limit, nor after the signal, and nothing is left running", async () => {
    const ffmpeg = await program("stuck", "echo $$ > pid; exec sleep 60");
    const pid = async () => Number(await readFile(join(directory, "pid"), "utf8").catch(() => "0"));
    assert.equal(await grabPoster("x.mp4", "video/mp4", 1280, { ffmpeg, limitMs: 300, signal: never }), null);
    assert.ok((await pid()) > 0 && !alive(await pid()));
    await rm(join(directory, "pid"));
    const abort = new AbortController();
    const grabbed = grabPoster("x.mp4", "video/mp4", 1280, { ffmpeg, signal: abort.signal });
    while (!(await pid())) await new Promise((resolve) => setImmediate(resolve));
    abort.abort(new Error("time is up"));
    await assert.rejects(grabbed, /time is up/);
    assert.ok(!alive(await pid()));
  });

  it("is made of nothing but videos", async () => {
    const ffmpeg = await program("eager", "cat frame.png");
    assert.equal(await grabPoster("x.wav", "audio/wav", 1280, { ffmpeg, signal: never }), null);
  });
});
