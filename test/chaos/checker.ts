/** The laws, judged from the evidence alone. */
import { checkBills, checkPictures } from "./checker-bills.ts";
import { checkClients, checkConsumer, checkLog, checkPublished } from "./checker-streams.ts";
import { checkActors, checkBatches, checkCancels, checkOrders, checkReserves } from "./checker-jobs.ts";
import { checkMedia } from "./checker-media.ts";
import type { Evidence } from "./evidence.ts";

/** A law that was broken: `actor` is whom it is about, where it is about one. */
export type Violation = { what: string; actor?: string };
export type Accuse = (what: string, actor?: string) => void;
export type Law = (evidence: Evidence, accuse: Accuse) => void;

const LAWS: readonly Law[] = [
  checkActors,
  checkOrders,
  checkBatches,
  checkCancels,
  checkReserves,
  checkBills,
  checkPictures,
  checkLog,
  checkPublished,
  checkConsumer,
  checkClients,
  checkMedia,
];

/** Everything that is wrong; nothing when all laws were kept. */
export const check = (evidence: Evidence): Violation[] => {
  const violations: Violation[] = [];
  const accuse: Accuse = (what, actor) => void violations.push(actor === undefined ? { what } : { what, actor });
  for (const law of LAWS) law(evidence, accuse);
  for (const complaint of evidence.complaints) accuse(`a customer was answered ${complaint}`);
  for (const error of evidence.errors) accuse(`a node wrote ${error}`);
  return violations;
};
