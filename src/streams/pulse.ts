/**
 * What is worth knowing at the moment and not worth keeping: messages that are never logged and have no id. While
 * somebody watches, one look every 3 s covers all watched streams; what has changed goes to those who watch.
 */
import { Observable, Subject } from "rxjs";
import type { Log } from "../log.ts";
import type { Clock } from "../ports.ts";

const EVERY_MS = 3_000;

/** What a look found of one subject, e.g. a job. `asOf`: the stream's seq at that look. */
export type Finding<T> = { stream: string; subject: string; asOf: number; state: T };

/** A message without an id about one subject, older than every fact after `asOf`. */
export type Pulse = { subject: string; asOf: number; event: string; json: string };

type Watched<T> = {
  watchers: number;
  pulses: Subject<Pulse>;
  /** Of each subject that was found by the latest look: what was last sent. */
  sent: Map<string, { state: T; pulse: Pulse }>;
};

export const createPulses = <T>(deps: {
  clock: Clock;
  log: Log;
  look(streams: string[]): Promise<Finding<T>[]>;
  /** Whether this is news to who knows `before`. */
  changed(before: T, now: T): boolean;
  render(finding: Finding<T>): { event: string; json: string };
}) => {
  const watched = new Map<string, Watched<T>>();
  let cancel: (() => void) | null = null;
  let looking = false;
  let closed = false;

  const take = (finding: Finding<T>) => {
    const { stream, subject, asOf, state } = finding;
    const watch = watched.get(stream);
    const before = watch?.sent.get(subject);
    if (!watch || (before && !deps.changed(before.state, state))) return;
    const pulse = { subject, asOf, ...deps.render(finding) };
    watch.sent.set(subject, { state, pulse });
    watch.pulses.next(pulse);
  };

  const look = async () => {
    const streams = [...watched.keys()];
    const findings = await deps.look(streams);
    const found = new Set(findings.map(({ subject }) => subject));
    for (const stream of streams)
      for (const subject of watched.get(stream)?.sent.keys() ?? [])
        if (!found.has(subject)) watched.get(stream)?.sent.delete(subject);
    findings.forEach(take);
  };

  const schedule = () => {
    if (closed || looking || cancel !== null || watched.size === 0) return;
    cancel = deps.clock.after(EVERY_MS, () => {
      cancel = null;
      looking = true;
      look()
        .catch((error) => deps.log.warn({ err: error }, "a look at live jobs failed; the next one tries again"))
        .finally(() => {
          looking = false;
          schedule();
        });
    });
  };

  const enter = (stream: string): Watched<T> => {
    const watch = watched.get(stream) ?? { watchers: 0, pulses: new Subject<Pulse>(), sent: new Map() };
    watched.set(stream, watch);
    watch.watchers++;
    schedule();
    return watch;
  };
  const leave = (stream: string, watch: Watched<T>) => {
    if (--watch.watchers > 0) return;
    if (watched.get(stream) === watch) watched.delete(stream);
    if (watched.size > 0) return;
    cancel?.();
    cancel = null;
  };

  return {
    /** The pulses of a stream, from what was last sent on. Whoever subscribes watches. Never fails. */
    of: (stream: string): Observable<Pulse> =>
      new Observable((client) => {
        if (closed) return undefined;
        const watch = enter(stream);
        client.add(() => leave(stream, watch));
        for (const { pulse } of watch.sent.values()) client.next(pulse);
        client.add(watch.pulses.subscribe(client));
        return undefined;
      }),
    watched: () => watched.size,
    close: () => {
      closed = true;
      cancel?.();
      for (const { pulses } of watched.values()) pulses.complete();
      watched.clear();
    },
  };
};
