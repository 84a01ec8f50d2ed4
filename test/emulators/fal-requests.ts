import type { Run } from "./kit-runs.ts";

/** What the emulator keeps of a request. */
export type Kept = {
  /** `owner/app`, where its status is. */
  app: string;
  /** With the path that it was submitted to. */
  model: string;
  input: Record<string, unknown>;
  webhook: string | null;
  /** Another than the request's id after a retry inside of fal. */
  gateway: string;
  /** Milliseconds since the epoch until which it must have started. */
  startBy: number;
  noRetry: boolean;
  /** URLs of its outputs, once there are any. */
  files: string[] | null;
};

const isVideo = (model: string) => /video|veo|kling|seedance/.test(model);

/** Where a request's status, result and cancel are. */
export const urlsOf = (origin: string, app: string, id: string) => {
  const root = `${origin}/${app}/requests/${id}`;
  return { response_url: root, status_url: `${root}/status`, cancel_url: `${root}/cancel` };
};

/** What a model answers on success, in the shape of image or of video models; `add` stores a file. */
export const resultBody = ({ id, ending, data }: Run<Kept>, add: (name: string) => string) => {
  const video = isVideo(data.model);
  const count = Number(data.input.num_images ?? 1);
  const named = ending.kind === "completed" ? ending.outputs : [];
  const names = named ?? Array.from({ length: count }, (_, index) => `${id}-${index}.${video ? "mp4" : "png"}`);
  data.files ??= names.map((name) => add(name));
  const files = data.files.map((file) => ({
    url: file,
    content_type: file.endsWith(".mp4") ? "video/mp4" : "image/png",
    file_name: file.split("/").at(-1),
  }));
  if (video) return { video: files[0] ?? null };
  const images = files.map((file) => ({ ...file, width: 64, height: 64 }));
  return { images, seed: 1, timings: { inference: 0.1 }, has_nsfw_concepts: images.map(() => false), prompt: "" };
};

/** The log of a request at `now`: its last line is a progress bar. */
export const logsOf = ({ startsAt, endsAt }: Run<Kept>, now: number) => {
  const share = Number.isFinite(endsAt) ? Math.min(1, (now - startsAt) / Math.max(1, endsAt - startsAt)) : 0.5;
  const bar = ` ${Math.floor(share * 100)}%|███ | ${Math.floor(share * 28)}/28 [00:01<00:02, 9.5it/s]`;
  const timestamp = new Date(now).toISOString();
  return ["loading", bar].map((message) => ({ message, level: "INFO", source: "USER", timestamp }));
};
