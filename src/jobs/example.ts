import type { Fact } from "../ports.ts";

const OWNER = "00000000-0000-0000-0000-000000000001";
const OBJECT = `media/${OWNER}/c6ba8e4afdc77392c9845f4b8cbc164dc511fc27c06c52687025200d875b5a13`;

/** A fact as it was recorded, for the documentation. */
export const JOB_SUCCEEDED: Fact = {
  id: "01a21121-7137-739a-aa94-d887c630dc68",
  stream: "01a21121-6f05-7316-a6ea-ebbcb2aa7f9e",
  seq: 12,
  owner: OWNER,
  ownerSeq: 12,
  type: "job.succeeded",
  at: 1795583734072,
  actorKind: "job",
  actorId: "01a21121-6f3a-711b-b1b2-46b9424424e2",
  data: {
    job_id: "01a21121-6f3a-711b-b1b2-46b9424424e2",
    chat_id: "01a21121-6f05-7316-a6ea-ebbcb2aa7f9e",
    option_id: "01a21121-6f17-7326-b943-f22f6f66cca0",
    retry_of: null,
    tool_type: "text_to_image",
    model_key: "nano_banana",
    provider: "simulated",
    status: "SUCCEEDED",
    state: "succeeded",
    attempt: 1,
    position: null,
    progress: 1,
    next_poll_at: null,
    created_at: 1795583733562,
    started_at: 1795583733606,
    finished_at: 1795583734071,
    timeout_at: 1795583913606,
    cancel: null,
    batch_id: null,
    batch_index: 0,
    outputs: [
      {
        id: "01a21121-7136-7001-9367-a39ac0b54940",
        sha256: "c6ba8e4afdc77392c9845f4b8cbc164dc511fc27c06c52687025200d875b5a13",
        mime: "image/jpeg",
        size_bytes: 125054,
        raw_key: `${OBJECT}.jpg`,
        min_key: `${OBJECT}.min.webp`,
        thumbnails: [
          { key: `${OBJECT}.256.webp`, width: 256, height: 256 },
          { key: `${OBJECT}.512.webp`, width: 512, height: 512 },
        ],
      },
    ],
    error: null,
    waiting_for: null,
  },
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
};
