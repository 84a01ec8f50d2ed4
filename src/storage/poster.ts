import { spawn } from "node:child_process";
import { Buffer } from "node:buffer";
import process from "node:process";
import type { MediaType } from "./media-types.ts";

/** By type of video: the only demuxer that may read it. Chosen by us, because a playlist may name other files. */
const DEMUXERS: Partial<Record<MediaType, string>> = { "video/mp4": "mov", "video/webm": "matroska" };
/** Of these first frames the one most like the others: films often begin in black. */
const FRAMES = 24;
const LIMIT_MS = 20_000;
const MAX_BYTES = 32 * 1024 * 1024;

/** One frame as PNG on stdout, at most `side` pixels wide and high. Nothing but the file is read. */
const argumentsFor = (path: string, demuxer: string, side: number): string[] => {
  const fit = `scale=w='min(${side},iw)':h='min(${side},ih)':force_original_aspect_ratio=decrease`;
  return [
    ...["-nostdin", "-hide_banner", "-loglevel", "error", "-threads", "1"],
    ...["-protocol_whitelist", "file", "-f", demuxer, "-i", `file:${path}`],
    ...["-map", "0:v:0", "-vf", `${fit},thumbnail=n=${FRAMES}`, "-frames:v", "1"],
    ...["-f", "image2pipe", "-c:v", "png", "pipe:1"],
  ];
};

const run = (command: string, args: string[], limitMs: number, signal: AbortSignal) =>
  new Promise<Buffer | null>((resolve) => {
    // No shell, and nothing of our environment but where programs are: what it reads comes from strangers.
    const child = spawn(command, args, { env: { PATH: process.env.PATH }, stdio: ["ignore", "pipe", "ignore"] });
    const kill = () => child.kill("SIGKILL");
    const timer = setTimeout(kill, limitMs);
    signal.addEventListener("abort", kill, { once: true });
    if (signal.aborted) kill();
    const chunks: Buffer[] = [];
    let size = 0;
    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_BYTES) kill();
      else chunks.push(chunk);
    });
    const settle = (frame: Buffer | null) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", kill);
      resolve(frame);
    };
    child.once("error", () => settle(null));
    child.once("close", (code) => settle(code === 0 && size > 0 ? Buffer.concat(chunks) : null));
  });

/**
 * A still picture (PNG) of a video file, by the `ffmpeg` on the PATH. Null where there is none, where it finds no
 * picture and where it takes too long: a video without a poster is still a video. Rejects only with the signal's reason.
 */
export const grabPoster = async (
  path: string,
  type: MediaType,
  side: number,
  { ffmpeg = "ffmpeg", limitMs = LIMIT_MS, signal }: { ffmpeg?: string; limitMs?: number; signal: AbortSignal },
): Promise<Buffer | null> => {
  const demuxer = DEMUXERS[type];
  if (!demuxer) return null;
  const frame = await run(ffmpeg, argumentsFor(path, demuxer, side), limitMs, signal);
  signal.throwIfAborted();
  return frame;
};
