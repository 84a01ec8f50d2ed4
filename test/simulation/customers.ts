/** Those who order, and insist until somebody has taken it. */
import type { Dispatch } from "../../src/actors/dispatch.ts";
import { emptyUnit, type Unit } from "../../src/actors/unit.ts";
import type { Draws } from "../../src/ports.ts";
import type { Cluster } from "./cluster.ts";
import type { World } from "./line.ts";
import { CONFIG } from "./settings.ts";
import { PROVIDERS, type ProviderName } from "./upstream.ts";

/** What was taken, as the customer was told. `stream`: where it can be watched. */
export type Order = { jobs: string[]; batch: string | null; stream: string; traceparent: string | null };
type Wish = { owner: string; account: ProviderName; chat: string | null; count: number };

export type Customers = {
  orders: readonly Order[];
  /** Streams that many jobs share. */
  chats: readonly string[];
  /** Orders `count` jobs at once. Resolves when that was taken. */
  order(count: number): Promise<Order>;
};

const ACCOUNTS = Object.keys(PROVIDERS) as ProviderName[];
const TOOL = "text_to_image";
const PATIENCE_MS = 20_000;

/** The unit that creates what is wished for: with new ids each time, as if nothing were remembered. */
const make = (
  dispatch: Dispatch,
  draws: Draws,
  { owner, account, chat, count }: Wish,
): { unit: Unit; order: Order } => {
  const id = draws.id();
  const jobs = Array.from({ length: count }, () => draws.id());
  const batch = count > 1 ? draws.id() : null;
  const stream = batch ?? chat ?? String(jobs[0]);
  const traceparent = `the order of ${jobs[0]}`;
  const unit = emptyUnit(id, traceparent);
  if (batch !== null) {
    const identity = { id: batch, kind: "batch" as const, owner, stream, account: null, labels: {}, traceparent };
    unit.actors.push(dispatch.create(identity, { count }));
    unit.rows.batches = [{ id: batch, user_id: owner }];
  }
  const labels = { model_key: account, tool_type: TOOL };
  jobs.forEach((id, index) => {
    const identity = { id, kind: "job" as const, owner, stream, account, labels, traceparent };
    const { webhooks: webhook } = PROVIDERS[account];
    unit.actors.push(
      dispatch.create(identity, { account, model: account, batch, index, timeoutMs: CONFIG.JOB_TIMEOUT_MS, webhook }),
    );
  });
  // The prompt tells the provider's books whose bill it is.
  unit.rows.jobs = jobs.map((id) => ({ id, ...labels, prompt: id, inputs: [], alternatives: [] }));
  return { unit, order: { jobs, batch, stream, traceparent } };
};

export const createCustomers = (world: World, cluster: Cluster, draws: Draws): Customers => {
  const { time } = world;
  const random = world.random.fork("customers");
  const owners = Array.from({ length: 12 }, () => ({ owner: draws.id(), chat: draws.id() }));
  const orders: Order[] = [];
  let keys = 0;

  const ask = (key: string, wish: Wish): Promise<Order> =>
    cluster.call(async ({ dispatch }) => {
      const { unit, order } = make(dispatch, draws, wish);
      unit.idempotency = { userId: wish.owner, route: "order", key, bodyHash: key, status: 202, answer: order };
      const outcome = await dispatch.submit(unit);
      if (outcome.kind === "won") return order;
      if (outcome.kind === "replayed") return outcome.answer as Order;
      throw new Error(outcome.kind);
    });

  return {
    orders,
    chats: owners.map(({ chat }) => chat),
    order: async (count) => {
      const { owner, chat } = random.pick(owners);
      const wish = { owner, account: random.pick(ACCOUNTS), chat: random.chance(0.3) ? chat : null, count };
      for (const key = `order-${++keys}`; ; ) {
        const tooLong = time.pass(PATIENCE_MS).then(() => null);
        const order = await Promise.race([ask(key, wish).catch(() => null), tooLong]);
        if (order) {
          orders.push(order);
          return order;
        }
        await time.pass(random.between(100, 3_000));
      }
    },
  };
};
