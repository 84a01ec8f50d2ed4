import type { Delivered } from "../../machines/delivery.words.ts";
import type { Dispatch } from "../actors/dispatch.ts";
import { createSliceFacts } from "../actors/slice-fact.ts";
import { entomb } from "../actors/tombstone.ts";
import { type ActorChange, emptyUnit, type Row } from "../actors/unit.ts";
import type { Query } from "../db/queries.ts";
import { Problem } from "../errors.ts";
import { mustWin } from "../http/once.ts";
import type { Caller } from "../http/principal.ts";
import { createStandardSecret } from "../net/standard-webhooks.ts";
import type { Clock, Draws } from "../ports.ts";
import { deliveryContext, type DeliveryRow, type EndpointRow } from "./words.ts";

const MOST_ENDPOINTS = 20;
/** How long events are signed with the secret before, too. */
const ROTATION_MS = 24 * 3_600_000;
const RACES = 10;

export type NewEndpoint = { url: string; events: string[]; ordered: boolean };
export type EndpointChange = Partial<NewEndpoint> & { disabled?: boolean };
type Reason = NonNullable<EndpointRow["disabled_reason"]>;

/** One delivery, to be put into a unit. Its stream is its endpoint's id. */
export const aDelivery = (
  { create }: Pick<Dispatch, "create">,
  of: { id: string; endpoint: string; owner: string; traceparent: string | null },
  input: { event: Delivered; redeliveryOf: string | null },
): ActorChange =>
  create(
    {
      id: of.id,
      kind: "delivery",
      owner: of.owner,
      stream: of.endpoint,
      account: null,
      labels: { webhook_id: of.endpoint },
      traceparent: of.traceparent,
    },
    input,
  );

const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());

/** What can be done with endpoints and their deliveries. */
export const createEndpointCommands = (deps: { dispatch: Dispatch; query: Query; clock: Clock; draws: Draws }) => {
  const { dispatch, query, clock, draws } = deps;
  const fact = createSliceFacts(deps);

  const find = async (id: string, userId: string): Promise<EndpointRow> => {
    const [row] = await query<EndpointRow>("endpointById", [id, userId]);
    if (!row) throw new Problem("not_found", "There is no such webhook");
    return row;
  };
  const findDelivery = async (id: string, userId: string) => {
    const [row] = await query<DeliveryRow & Pick<EndpointRow, "disabled_at"> & { finished_at: number | null }>(
      "deliveryById",
      [id, userId],
    );
    if (!row) throw new Problem("not_found", "There is no such delivery");
    return row;
  };

  /** Changes a row as it was found. Resolves to false when it was another one by then, or is gone. */
  const write = async (row: EndpointRow, changed: EndpointRow, traceparent: string | null): Promise<boolean> => {
    const unit = emptyUnit(draws.id(), traceparent);
    unit.live.push({ kind: "endpoint", id: row.id });
    const [was, is] = [row.disabled_reason, changed.disabled_reason];
    const change: Row = {
      id: row.id,
      expect: row.version,
      url: changed.url,
      events: changed.events,
      ordered: changed.ordered,
      secret: changed.secret,
      previous_secret: changed.previous_secret,
      previous_until: iso(changed.previous_until),
      disabled_at: iso(changed.disabled_at),
      disabled_reason: is,
      // It has a clean record.
      anew: (was !== null && is === null) || changed.url !== row.url,
    };
    unit.rows.endpoint_changes = [change];
    const data = { webhook_id: row.id, reason: is };
    if (was === null && is !== null) unit.facts.push(fact(row.id, row.user_id, "webhook.disabled", row.id, data));
    if (was !== null && is === null) unit.facts.push(fact(row.id, row.user_id, "webhook.enabled", row.id, data));
    return (await dispatch.submit(unit)).kind === "won";
  };
  const change = async (id: string, { userId, traceparent }: Caller, alter: (row: EndpointRow) => EndpointRow) => {
    for (let race = 0; race < RACES; race++) {
      const row = await find(id, userId);
      if (await write(row, alter(row), traceparent)) return find(id, userId);
    }
    throw new Problem("unavailable", "Too many changes at once; try again", { retryAfter: 1 });
  };
  const disabled = (row: EndpointRow, reason: Reason | null): EndpointRow =>
    (row.disabled_reason === null) === (reason === null)
      ? row
      : { ...row, disabled_reason: reason, disabled_at: reason === null ? null : clock.now() };

  const send = async (caller: Caller, endpoint: string, event: Delivered, redeliveryOf: string | null, id: string) => {
    const { userId: owner, traceparent } = caller;
    const unit = emptyUnit(draws.id(), traceparent);
    unit.live.push({ kind: "endpoint", id: endpoint });
    unit.actors.push(aDelivery(dispatch, { id, endpoint, owner, traceparent }, { event, redeliveryOf }));
    mustWin(await dispatch.submit(unit));
    return id;
  };
  const mustBeEnabled = ({ disabled_at }: Pick<EndpointRow, "disabled_at">) => {
    if (disabled_at !== null) throw new Problem("conflict", "The webhook is disabled; enable it first");
  };

  return {
    find,
    findDelivery,
    /** Makes an endpoint. It gets what happens from now on. Resolves to its row, with the secret. */
    create: async ({ userId, traceparent }: Caller, { url, events, ordered }: NewEndpoint): Promise<EndpointRow> => {
      const id = draws.id();
      const unit = emptyUnit(draws.id(), traceparent);
      const created_at = iso(clock.now());
      const secret = createStandardSecret();
      unit.live.push({ kind: "user", id: userId });
      unit.rows.endpoints = [{ id, user_id: userId, url, events, ordered, secret, created_at, most: MOST_ENDPOINTS }];
      const outcome = await dispatch.submit(unit);
      if (outcome.kind === "reserve_denied")
        throw new Problem("conflict", `There are ${MOST_ENDPOINTS} webhooks already; delete one first`);
      mustWin(outcome);
      return find(id, userId);
    },
    change: (id: string, caller: Caller, { disabled: off, ...asked }: EndpointChange) =>
      change(id, caller, (row) => {
        const changed = { ...row, ...asked };
        return off === undefined ? changed : disabled(changed, off ? "user" : null);
      }),
    /** A new secret; events are signed with the one before as well for a day. */
    rotate: (id: string, caller: Caller) => {
      const secret = createStandardSecret();
      return change(id, caller, (row) => ({
        ...row,
        secret,
        previous_secret: row.secret,
        previous_until: clock.now() + ROTATION_MS,
      }));
    },
    /** A tombstone: 404 from now on, and nothing more is sent. */
    remove: async (id: string, { userId, traceparent }: Caller): Promise<void> => {
      await find(id, userId);
      const unit = emptyUnit(draws.id(), traceparent);
      entomb(unit, { kind: "endpoint", id }, clock.now());
      mustWin(await dispatch.submit(unit));
    },
    /** Nothing works there: it is disabled, and its owner is told. Somebody else may be first. */
    fail: async (row: EndpointRow): Promise<void> => {
      await write(row, disabled(row, row.gone_at === null ? "failing" : "gone"), null);
    },
    /** Sends an event that is in no log. Resolves to the delivery's id. */
    test: async (id: string, caller: Caller): Promise<string> => {
      mustBeEnabled(await find(id, caller.userId));
      const delivery = draws.id();
      return send(caller, id, { id: delivery, type: "webhook.test", stream: id, seq: null }, null, delivery);
    },
    /** Sends at once what waits to be sent again, and anew what had ended. Resolves to the delivery that does it. */
    redeliver: async (id: string, caller: Caller): Promise<string> => {
      const row = await findDelivery(id, caller.userId);
      mustBeEnabled(row);
      const { event } = deliveryContext(row);
      if (row.finished_at !== null) return send(caller, row.endpoint_id, event, id, draws.id());
      await dispatch.send(id, { type: "redeliver" }, caller.traceparent);
      return id;
    },
  };
};
export type EndpointCommands = ReturnType<typeof createEndpointCommands>;
