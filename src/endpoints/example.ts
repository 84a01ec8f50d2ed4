/** Shown in the docs. */
export const NEW_WEBHOOK = {
  url: "https://app.example/webhooks",
  events: ["job.succeeded", "job.failed"],
  ordered: false,
};

export const WEBHOOK = {
  id: "01a211e4-37cf-7496-a88e-a7238b0305e9",
  ...NEW_WEBHOOK,
  disabled_at: null,
  disabled_reason: null,
  failing_since: null,
  previous_secret_until: null,
  created_at: "2026-11-25T05:58:44.892Z",
};

/** One that is tried again. */
export const RETRIED = {
  id: "01a211e5-2b4a-7a31-9d3e-5b711132ef25",
  webhook_id: WEBHOOK.id,
  event: {
    id: "01a21148-f99c-72f8-824e-bb574cc6d95f",
    type: "job.succeeded",
    stream: "01a21148-f2ab-75fa-be49-d4222033b3a9",
    sequence: "11",
  },
  status: "RETRYING",
  state: "waiting",
  redelivery_of: null,
  tries: 1,
  response_status: 503,
  error: null,
  created_at: "2026-11-25T05:58:44.901Z",
  next_try_at: "2026-11-25T05:58:50.130Z",
  finished_at: null,
  log: [
    {
      at: "2026-11-25T05:58:44.950Z",
      duration_ms: 41,
      response_status: 503,
      error: null,
      response: "down for repairs",
    },
  ],
};
