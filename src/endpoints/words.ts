import { type Static, Type } from "@sinclair/typebox";
import { type DeliveryContext, deliveryView } from "../../machines/delivery.ts";
import { DeliveryStatus } from "../../machines/delivery.words.ts";
import { nullable } from "../../machines/job.words.ts";
import { type Snapshot, stateName } from "../../machines/step.ts";

/** As `endpoints` has it. */
export type EndpointRow = {
  id: string;
  user_id: string;
  url: string;
  events: string[];
  ordered: boolean;
  secret: string;
  previous_secret: string | null;
  previous_until: number | null;
  version: number;
  failing_since: number | null;
  gone_at: number | null;
  disabled_at: number | null;
  disabled_reason: "user" | "failing" | "gone" | null;
  created_at: number;
};

export type DeliveryRow = { id: string; endpoint_id: string; state: string; snapshot: Snapshot; created_at: number };

export const Url = Type.String({ minLength: 1, maxLength: 2000, description: "where events are sent" });
export const Events = Type.Array(Type.String({ minLength: 1, maxLength: 100 }), {
  minItems: 1,
  maxItems: 100,
  uniqueItems: true,
  description: "`*`, `job.*` or `job.succeeded`, any of them",
});
export const Ordered = Type.Boolean({
  description: "the events of one stream one after another: none before the one before has ended",
});
const Instant = Type.String({ format: "date-time" });

export const Endpoint = Type.Object({
  id: Type.String(),
  url: Url,
  events: Events,
  ordered: Ordered,
  disabled_at: nullable(Instant),
  disabled_reason: nullable(Type.String({ description: "user · failing · gone" })),
  failing_since: nullable({ ...Instant, description: "every try since then has failed" }),
  previous_secret_until: nullable({ ...Instant, description: "events are signed with the secret before, too" }),
  created_at: Instant,
});
export type Endpoint = Static<typeof Endpoint>;

export const Secret = Type.String({
  description: "whsec_…, as the libraries of Standard Webhooks take it; shown once",
});

export const Delivery = Type.Object({
  id: Type.String(),
  webhook_id: Type.String(),
  event: Type.Object({
    id: Type.String({ description: "its `webhook-id`" }),
    type: Type.String(),
    stream: Type.String(),
    sequence: nullable(Type.String({ description: "null: a test" })),
  }),
  status: DeliveryStatus,
  state: Type.String({ description: "pending · sending · waiting · succeeded · failed · canceled" }),
  redelivery_of: nullable(Type.String()),
  tries: Type.Integer({ description: "so far" }),
  response_status: nullable(Type.Integer({ description: "of the last try" })),
  error: nullable(Type.String({ description: "why it was given up: gone · exhausted · erased · too_large" })),
  created_at: Instant,
  next_try_at: nullable(Instant),
  finished_at: nullable(Instant),
});

export const DeliveryDetail = Type.Object({
  ...Delivery.properties,
  log: Type.Array(
    Type.Object({
      at: Instant,
      duration_ms: Type.Integer(),
      response_status: nullable(Type.Integer()),
      error: nullable(
        Type.String({
          description: "timeout · unreachable · no_answer · tls · refused_address · interrupted · internal",
        }),
      ),
      response: nullable(Type.String({ description: "the beginning of the answer" })),
    }),
  ),
});

const iso = (ms: number) => new Date(ms).toISOString();
const isoOrNull = (ms: number | null) => (ms === null ? null : iso(ms));

/** Without its secrets. */
export const showEndpoint = (row: EndpointRow, now: number): Endpoint => ({
  id: row.id,
  url: row.url,
  events: row.events,
  ordered: row.ordered,
  disabled_at: isoOrNull(row.disabled_at),
  disabled_reason: row.disabled_reason,
  failing_since: isoOrNull(row.failing_since),
  previous_secret_until: row.previous_until !== null && row.previous_until > now ? iso(row.previous_until) : null,
  created_at: iso(row.created_at),
});

export const deliveryContext = ({ snapshot }: Pick<DeliveryRow, "snapshot">): DeliveryContext =>
  snapshot.context as unknown as DeliveryContext;

export const showDelivery = (row: DeliveryRow): Static<typeof Delivery> => {
  const view = deliveryView(stateName(row.snapshot.value), deliveryContext(row));
  const { seq, ...event } = view.event;
  return {
    ...view,
    id: row.id,
    webhook_id: row.endpoint_id,
    event: { ...event, sequence: seq === null ? null : String(seq) },
    created_at: iso(view.created_at),
    next_try_at: isoOrNull(view.next_try_at),
    finished_at: isoOrNull(view.finished_at),
  };
};

export const showDeliveryDetail = (row: DeliveryRow): Static<typeof DeliveryDetail> => ({
  ...showDelivery(row),
  log: deliveryContext(row).tries.map(({ at, ms, status, code, response }) => ({
    at: iso(at),
    duration_ms: Math.round(ms),
    response_status: status,
    error: code,
    response,
  })),
});
