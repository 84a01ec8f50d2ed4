/** Those who watch: each follows one stream, is cut off, and comes back with its cursor, to any node. */
import type { Subscription } from "rxjs";
import type { Cluster } from "./cluster.ts";
import type { World } from "./line.ts";
import type { Node } from "./node.ts";

/** What one client was shown, in order. */
export type Client = { stream: string; seen: { id: string; seq: number }[]; resets: number };

export type Clients = {
  all: readonly Client[];
  follow(stream: string): void;
  /** Everyone looks once more whether there is anything new. */
  return(): void;
};

const LOOK_MS = 5_000;

/** `drops`: a feed that leaves out a fact now and then, for whoever wants to see the checker notice. */
export const createClients = (world: World, cluster: Cluster, faults: { drops?: boolean } = {}): Clients => {
  const { time, weather, store, trace } = world;
  const random = world.random.fork("clients");
  const all: Client[] = [];
  const leave = new Map<Client, () => void>();
  let last = false;

  const isBehind = ({ stream, seen }: Client) => (seen.at(-1)?.seq ?? 0) < (store.tables.streams.get(stream)?.seq ?? 0);
  const isOver = (client: Client) =>
    !isBehind(client) && [...store.tables.live.values()].every(({ stream_id }) => stream_id !== client.stream);

  const connect = (client: Client) => {
    const node = cluster.any();
    if (!node) return void time.after(1_000, () => connect(client));
    let connected = true;
    let subscription: Subscription | null = null;
    const end = (again: number | null) => {
      if (!connected) return;
      connected = false;
      leave.delete(client);
      // The node sees the cut only when it can.
      node.gate.deliver(() => subscription?.unsubscribe());
      if (again !== null) time.after(again, () => connect(client));
    };
    leave.set(client, () => end(0));
    node.gate.onCrash(() => end(random.between(0, 3_000)));
    const slow = random.chance(0.1);
    const subscribe = () => {
      if (!connected) return;
      subscription = watch(
        node,
        client,
        slow,
        () => connected,
        () => end(random.between(100, 2_000)),
      );
    };
    node.gate.deliver(subscribe);
    const cut = () => {
      const { cutEveryMs } = weather.rates();
      const ms = Math.min(-Math.log(1 - random.next()) * cutEveryMs, LOOK_MS);
      time.after(ms, () => {
        if (!connected) return;
        if (!last && isOver(client)) end(null);
        else if (ms < LOOK_MS) end(random.between(0, 5_000));
        else cut();
      });
    };
    cut();
  };

  const watch = (node: Node, client: Client, slow: boolean, connected: () => boolean, failed: () => void) => {
    const cursor = client.seen.at(-1)?.seq ?? 0;
    const pace = () =>
      slow && !last
        ? new Promise<void>((resolve) => void node.gate.after(random.between(0, 500), resolve))
        : Promise.resolve();
    return node.feed(client.stream, { cursor, pace }).subscribe({
      next: (item) => {
        if (!connected()) return;
        if (item.kind === "reset") client.resets++;
        else if (!(faults.drops && random.chance(0.01))) {
          const { id, seq } = item.fact;
          client.seen.push({ id, seq });
          trace.note("seen", node.number, id);
        }
      },
      error: failed,
      complete: failed,
    });
  };

  return {
    all,
    follow: (stream) => {
      const client: Client = { stream, seen: [], resets: 0 };
      all.push(client);
      connect(client);
    },
    return: () => {
      last = true;
      for (const client of all) {
        const again = leave.get(client);
        if (again) again();
        else if (isBehind(client)) connect(client);
      }
    },
  };
};
