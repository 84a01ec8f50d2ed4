import type { Query } from "../db/queries.ts";
import type { Log } from "../log.ts";
import type { Bus } from "../ports.ts";
import { rewind } from "./renewal.ts";

const BUS = "nats";

type Known = { incarnation: string; head: number; losses: number; rewound: number };

/**
 * Has everything published again when the bus lost what it had acknowledged. Every node goes back when it hears of a
 * loss, not only the one that noticed: it may have moved a watermark after the other went back, for what it believed
 * to be the old storage. The loss is written down first, and that it was acted on last, in case the node dies in
 * between.
 */
export const createRewind = ({ query, bus, log }: { query: Query; bus: Bus; log: Log }) => {
  /** The losses that this node has heard of; null before its first look. */
  let heard: number | null = null;
  return async (): Promise<void> => {
    const [known] = await query<Known>("readIncarnation", [BUS]);
    const found = await bus.storage(known ? { name: known.incarnation, losses: known.losses, head: known.head } : null);
    const { losses: before = 0, rewound = 0, head = -1 } = known ?? {};
    const lost = known !== undefined && (known.incarnation !== found.name || found.lost);
    const losses = before + (lost ? 1 : 0);
    if (lost || found.head > head) await query("noteIncarnation", [BUS, found.name, found.head, losses]);
    if (losses > rewound || (heard !== null && losses !== heard)) {
      log.warn({ known, found }, "the bus lost what it had stored; publishing again from the start");
      await rewind(query);
      await query("noteRewound", [BUS, losses]);
    }
    heard = losses;
  };
};
