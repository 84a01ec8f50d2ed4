import assert from "node:assert/strict";
import process from "node:process";
import { describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { createRandom, type Random } from "../../src/embedded/simulated/drawing/random.ts";
import type { Stage } from "../emulators/kit.ts";
import { type Account, audit } from "./submit-audit.ts";
import { type Arena, openArena } from "./submit-harness.ts";
import { PROVIDERS, type ProviderName } from "./submit-providers.ts";

/** `CHAOS_KILLS=200` makes it long: so many kills for each provider, and as many drops and pauses in proportion. */
const KILLS = Number(process.env.CHAOS_KILLS ?? 6);
const SEED = Number(process.env.CHAOS_SEED ?? 20_261_122);
const PAUSES = Math.max(4, Math.round(KILLS / 4));
const WAVES = Math.max(1, Math.round(KILLS / 20));
const IN_FLIGHT = 50;
/** Jobs asked for at each strike, at least. */
const FRESH = 12;
const STAGES: readonly Stage[] = ["before_read", "before_answer", "after_answer"];

const COLUMNS: readonly (keyof Account)[] = [
  "provider",
  "strikes",
  "jobs",
  "attempts",
  "notSent",
  "bills",
  "adopted",
  "orphans",
  "unknown",
  "billed",
  "doubles",
];

const show = (what: string, accounts: readonly Account[]) => {
  const rows = accounts.map((account) => COLUMNS.map((column) => String(account[column])));
  const head = COLUMNS.map((column) => (column === "strikes" ? what : column));
  const widths = head.map((title, n) => Math.max(title.length, ...rows.map((row) => row[n]?.length ?? 0)));
  const line = (row: readonly string[]) => row.map((cell, n) => cell.padStart(widths[n] ?? 0)).join("  ");
  console.log([`seed ${SEED}`, line(head), ...rows.map(line)].join("\n"));
};

/** Runs every provider at the same time, each with draws of its own. */
const everywhere = async (
  what: string,
  run: (arena: Arena, random: Random) => Promise<number>,
  sentWithinMs: number,
) => {
  const one = async (name: ProviderName): Promise<Account> => {
    const random = createRandom(SEED).fork(`${what} ${name}`);
    await using arena = await openArena(name, random);
    const strikes = await run(arena, random);
    await arena.settle();
    // Awaited here: the arena takes the database away.
    return await audit(arena.sql, arena.target, { strikes, ordered: arena.ordered(), sentWithinMs });
  };
  const runs = await Promise.allSettled(PROVIDERS.map(one));
  const accounts = runs.flatMap((run) => (run.status === "fulfilled" ? [run.value] : []));
  show(what, accounts);
  for (const run of runs) if (run.status === "rejected") throw run.reason;
  for (const account of accounts) {
    assert.equal(account.doubles, 0, `${account.provider}: nothing is billed twice`);
    assert.equal(account.adopted + account.orphans + account.billed, account.bills, account.provider);
    if (account.provider === "higgsfield") assert.equal(account.unknown, 0, "the same key again finds everything");
  }
};

describe("one billable submit", () => {
  const limits = { timeout: 120_000 + KILLS * 10_000 };

  it("survives a server that is killed before it sends, while it waits and just after it hears", limits, () =>
    everywhere(
      "kills",
      async (arena, random) => {
        const orders: Promise<void>[] = [];
        for (let kill = 0; kill < KILLS; kill++) {
          const fresh = Math.max(FRESH, IN_FLIGHT - (await arena.live()));
          const dead = arena.killAt(STAGES[kill % STAGES.length] as Stage, random.whole(1, fresh));
          orders.push(arena.order(fresh));
          await dead;
          await arena.restart();
        }
        await Promise.all(orders);
        return KILLS;
      },
      3000,
    ),
  );

  it("survives answers that are lost", limits, () =>
    everywhere(
      "drops",
      async (arena, random) => {
        let drops = 0;
        const when = () => random.chance(0.3) && ++drops > 0;
        const faults = arena.target.emulator.faults;
        faults.add({ on: "submit", how: "reset_after_accept", times: Number.POSITIVE_INFINITY, when });
        for (let wave = 0; wave < WAVES; wave++) {
          await arena.order(IN_FLIGHT);
          if (wave < WAVES - 1) await wait(2000);
        }
        await arena.settle();
        return drops;
      },
      3000,
    ),
  );

  it("survives a server that stands still across the send", limits, () =>
    everywhere(
      "pauses",
      async (arena, random) => {
        for (let pause = 0; pause < PAUSES; pause++) {
          const stage = pause % 4 === 3 ? null : (STAGES[pause % 4] as Stage);
          const ms = random.between(1100, 4000);
          const taken = arena.order(30);
          if (stage === null) await wait(random.between(0, 60));
          await arena.pauseAt(stage, random.whole(1, 30), ms);
          await taken;
        }
        return PAUSES;
      },
      0,
    ),
  );
});
