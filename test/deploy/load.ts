import { setTimeout as wait } from "node:timers/promises";
import type { Client } from "../support/client.ts";

/** A request that did not get what it asked for; times as `performance.now()` tells them. */
export type Failure = { method: "GET" | "POST"; title: string; what: string; from: number; to: number };

/** A steady stream of requests, each loop one after the other. */
export type Load = {
  failures: readonly Failure[];
  /** How many were answered as they should be. */
  done(): number;
  /** Lets every loop end its request. */
  stop(): Promise<void>;
};

/** About a hundred requests a second from each loop; a loaded machine must still have time for the nodes. */
const PAUSE_MS = 10;

/** `loops` clients of each kind: some read a chat, others make one after another, each with a title of its own. */
export const startLoad = (client: Client, chat: string, loops: number): Load => {
  const failures: Failure[] = [];
  let [done, stopped] = [0, false];
  const ask = async (method: Failure["method"], title: string) => {
    const from = performance.now();
    const asked = method === "GET" ? client.get(`/chats/${chat}`) : client.post("/chats", { title });
    const [status, what] = await asked.then(
      (answer) => [answer.status, JSON.stringify(answer.body)] as const,
      (error: Error) => [0, error.message] as const,
    );
    if (status === (method === "GET" ? 200 : 201)) done++;
    else failures.push({ method, title, what: `${status} ${what}`, from, to: performance.now() });
  };
  const loop = async (method: Failure["method"], name: number) => {
    for (let n = 0; !stopped; n++) {
      await ask(method, `${name}-${n}`);
      await wait(PAUSE_MS);
    }
  };
  const running = Array.from({ length: loops }, (_, name) => [loop("GET", name), loop("POST", name)]).flat();
  return {
    failures,
    done: () => done,
    stop: async () => {
      stopped = true;
      await Promise.all(running);
    },
  };
};
