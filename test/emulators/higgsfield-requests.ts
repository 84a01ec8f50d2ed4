import type { Ending, Phase, Run, Runs } from "./kit-runs.ts";

/** What is kept of one generation: a v2 request, or one job of a v1 set. */
export type Kept = {
  path: string;
  input: Record<string, unknown>;
  kind: "image" | "video";
  count: number;
  webhook: string | null;
  /** The v1 job set that it belongs to. */
  set: string | null;
  /** Its files, once it is completed. */
  files: string[] | null;
};

export type HiggsfieldRun = Run<Kept>;
export type HiggsfieldRuns = Runs<Kept>;

export const statusOf = (phase: Phase, ending: Ending): string => {
  if (phase !== "ended") return phase === "running" ? "in_progress" : "queued";
  if (ending.kind === "moderated") return "nsfw";
  return ending.kind === "expired" ? "completed" : ending.kind;
};

/** Makes the files of a completed run, once. An expired one has its links, and they are dead. */
export const filesOf = (
  { id, ending, data }: HiggsfieldRun,
  outputs: { add(name: string): string; expire(url: string): void },
): string[] => {
  if (data.files) return data.files;
  const end = data.kind === "video" ? "mp4" : "png";
  const names =
    ending.kind === "completed" && ending.outputs
      ? ending.outputs
      : Array.from({ length: data.count }, (_, i) => `${id}-${i}.${end}`);
  data.files = names.map((name) => outputs.add(name));
  if (ending.kind === "expired") for (const file of data.files) outputs.expire(file);
  return data.files;
};

/** The status JSON of a v2 request, the same in a webhook. `root` is where its URLs point; `life`, when given, how long outputs live. */
export const bodyOf = (run: HiggsfieldRun, phase: Phase, files: () => string[], root: string, life: number | null) => {
  const { id, ending, data } = run;
  const status = statusOf(phase, ending);
  const urls = { status_url: `${root}/requests/${id}/status`, cancel_url: `${root}/requests/${id}/cancel` };
  const over = life !== null && phase === "ended" ? { expires_at: new Date(run.endsAt + life).toISOString() } : {};
  if (status === "failed") {
    const error = ending.kind === "failed" && ending.message ? { error: ending.message } : {};
    return { status, request_id: id, ...error, ...over };
  }
  if (status === "nsfw" || status === "canceled") return { status, request_id: id, ...over };
  if (status !== "completed") return { status, request_id: id, ...urls };
  const [first] = files();
  const media =
    data.kind === "video" ? (first ? { video: { url: first } } : {}) : { images: files().map((url) => ({ url })) };
  return { status, request_id: id, ...urls, ...media, ...over };
};

/** The JSON of a v1 job set. `results` is null until a job is done. */
export const jobSetOf = (
  id: string,
  runs: readonly HiggsfieldRun[],
  phaseOf: (run: HiggsfieldRun) => Phase,
  files: (run: HiggsfieldRun) => string[],
) => {
  const [first] = runs;
  const type = (first?.data.path ?? "").replace(/^v1\//, "").replaceAll("/", "_");
  return {
    id,
    created_at: new Date(first?.createdAt ?? 0).toISOString(),
    type,
    input_params: first?.data.input ?? {},
    jobs: runs.map((run) => {
      const status = statusOf(phaseOf(run), run.ending);
      const [url] = status === "completed" ? files(run) : [];
      const file = { type: run.data.kind, url };
      return { id: run.id, job_set_type: type, status, results: url ? { min: file, raw: file } : null };
    }),
  };
};
