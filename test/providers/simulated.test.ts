import { describe } from "node:test";
import { createLedger } from "../../src/embedded/simulated/ledger.ts";
import { createSimulatedProvider } from "../../src/embedded/simulated/provider.ts";
import { connect } from "../../src/db/connect.ts";
import { createQueries, loadQueries } from "../../src/db/queries.ts";
import { createLog } from "../../src/log.ts";
import { cloneDatabase } from "../support/postgres.ts";
import { describeProvider, type Ending } from "./contract.ts";

const START = 1_800_000_000_000;
const MARKS: Record<Ending, string> = { completed: "", failed: " [fail]", moderated: " [moderate]" };

describe("simulated", () => {
  describeProvider("simulated", async () => {
    const database = await cloneDatabase();
    const sql = connect(database.url, { max: 4, role: "write" });
    const clock = { now: START };
    const ledger = createLedger(createQueries(sql, loadQueries()));
    const provider = createSimulatedProvider({
      ledger,
      now: () => clock.now,
      secret: "a secret of the simulated provider",
      latencyMs: 10_000,
      queueMs: 10_000,
      failureRate: 0,
      lostRate: 0,
      log: createLog("silent"),
    });
    const generation = (ending: Ending = "completed") => ({
      attempt: crypto.randomUUID(),
      model: "nano-banana",
      tool: "text_to_image",
      prompt: `a cat${MARKS[ending]}`,
      params: {},
      inputs: [],
      deadline: START + 3600_000,
      webhook: null,
    });
    const until = async (ref: string, kinds: string[]) => {
      while (!kinds.includes((await provider.check(ref, new AbortController().signal)).kind)) clock.now += 250;
    };
    return {
      provider,
      now: () => clock.now,
      generation,
      run: (ref) => until(ref, ["running"]),
      end: (ref) => until(ref, ["completed", "failed", "moderated"]),
      bills: async ({ attempt }) =>
        Number((await sql`select count(*)::int as count from simulated_submits where attempt = ${attempt}`)[0]?.count),
      loseNextSubmit: (asked) => ({ ...asked, prompt: `${asked.prompt} [lost]` }),
      unknownRef: "sim1.abc.def",
      close: async () => {
        await sql.end({ timeout: 5 });
        await database.drop();
      },
    };
  });
});
