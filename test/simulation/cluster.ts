/** The nodes that are there at the moment: what dies comes back, stands still at times, and is never quite on time. */
import { createNode, type Neighbours, type Node } from "./node.ts";

export type Cluster = {
  /** Any node that is up; it may stand still. */
  any(): Node | null;
  /** Calls a node from outside: what it promises never comes if it dies first. */
  call<T>(work: (node: Node) => Promise<T>): Promise<T>;
  /** Everything is up again. */
  mend(): void;
};

const SKEW_EVERY_MS = 60_000;

/** Starts `count` nodes. */
export const createCluster = (count: number, neighbours: Neighbours): Cluster => {
  const { time, random: root, weather, trace } = neighbours.world;
  const random = root.fork("cluster");
  const places: (Node | null)[] = Array.from({ length: count }, () => null);
  const skews = places.map(() => 0);
  let mended = false;

  const start = (place: number) => {
    if (places[place]) return;
    trace.note("start", place, "");
    const node = createNode(place, () => skews[place] ?? 0, neighbours);
    places[place] = node;
    node.gate.onCrash(() => {
      trace.note("crash", place, "");
      places[place] = null;
      // Mostly at once, as a supervisor would; sometimes long enough for others to take over.
      time.after(mended ? 0 : random.chance(0.5) ? random.between(50, 2_000) : random.between(2_000, 60_000), () =>
        start(place),
      );
    });
  };
  const ticking = (place: number) => {
    const { skewMs } = weather.rates();
    skews[place] = random.between(-skewMs, skewMs);
    time.after(SKEW_EVERY_MS, () => ticking(place));
  };
  const pausing = (place: number) => {
    const { pauseEveryMs } = weather.rates();
    if (!Number.isFinite(pauseEveryMs)) return;
    time.after(-Math.log(1 - random.next()) * pauseEveryMs, () => {
      const ms = random.chance(0.7) ? random.between(100, 5_000) : random.between(5_000, 60_000);
      trace.note("pause", place, ms);
      places[place]?.gate.pause(ms);
      pausing(place);
    });
  };
  places.forEach((_, place) => {
    ticking(place);
    start(place);
    pausing(place);
  });

  const any = () => {
    const up = places.filter((node) => node !== null);
    return up.length === 0 ? null : random.pick(up);
  };
  return {
    any,
    call: (work) =>
      new Promise((resolve, reject) => {
        const node = any();
        if (node) node.gate.deliver(() => void work(node).then(resolve, reject));
        else reject(new Error("nobody is there"));
      }),
    mend: () => {
      mended = true;
      places.forEach((_, place) => void start(place));
    },
  };
};
