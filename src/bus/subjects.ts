import type { Fact, Sighting } from "../ports.ts";
import { ownerOf } from "./lines.ts";

/** The JetStream stream that holds every fact. */
export const STREAM = "DARKROOM";
export const ALL_SUBJECTS = "darkroom.>";

/** The form of every subject, with what its places hold. */
export const SUBJECT = "darkroom.{owner}.{stream}.{actor_kind}.{actor_id}.{fact}";
export const SUBJECT_PLACES: Readonly<Record<string, string>> = {
  owner: "id of the user whose it is",
  stream: "id of the chat, else of the batch, else of the job, upload or webhook itself",
  actor_kind: "job, batch, attachment, delivery, chat, message, option or webhook",
  actor_id: "id of the actor or row",
  fact: "what happened, e.g. succeeded",
};

/**
 * `darkroom.<owner>.<stream>.<actor kind>.<actor id>.<fact>`, e.g.
 * `darkroom.0000….0192….job.0192….succeeded`. The only place that builds or reads subjects.
 */
export const subjectOf = (fact: Pick<Fact, "owner" | "stream" | "actorKind" | "actorId" | "type">): string =>
  `darkroom.${fact.owner}.${fact.stream}.${fact.actorKind}.${fact.actorId}.${fact.type.slice(fact.type.indexOf(".") + 1)}`;

/** Whether a subject or pattern can only match facts. */
export const isOurs = (subject: string): boolean => subject.startsWith("darkroom.");

/** Matches every fact of one line: a stream's, or all that a user owns. */
export const lineSubject = (line: string): string => {
  const owner = ownerOf(line);
  return owner === null ? `darkroom.*.${line}.>` : `darkroom.${owner}.>`;
};

/** Everything that is shown and not kept: outside of `darkroom.>`, so that no stream stores it. */
export const LIVE_SUBJECTS = "darkroom-live.>";

/** The forms of those subjects. */
export const NODE_SUBJECT = "darkroom-live.node.{node}";
export const BREAKER_SUBJECT = "darkroom-live.breaker.{node}.{provider}";

/** `darkroom-live.node.<node>` or `darkroom-live.breaker.<node>.<provider>`. */
export const liveSubject = ({ machine, node, provider }: Pick<Sighting, "machine" | "node" | "provider">): string =>
  ["darkroom-live", machine, node, ...(provider === null ? [] : [provider])].join(".");

export type ParsedSubject = Pick<Fact, "owner" | "stream" | "actorKind" | "actorId"> & { verb: string };

/** Reads a subject back, or null when it is not one of ours. */
export const parseSubject = (subject: string): ParsedSubject | null => {
  const [root, owner, stream, actorKind, actorId, verb, ...rest] = subject.split(".");
  if (root !== "darkroom" || !owner || !stream || !actorKind || !actorId || !verb || rest.length > 0) return null;
  return { owner, stream, actorKind, actorId, verb };
};
