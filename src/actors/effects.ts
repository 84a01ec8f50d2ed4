/**
 * Executes effects after their commit. Each has a hard time limit, shorter than its state's watchdog,
 * and a `not_after`: one that could not be sent in time (this process was paused, or the line was
 * long) is not sent, and answers so. The outcome comes back as a command.
 */
import type { MachineEvent } from "../../machines/step.ts";
import { Problem } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Clock } from "../ports.ts";
import type { Identity } from "./unit.ts";

/** Thrown by `confirmSend` when the effect is too old to be sent. */
export class NotSent extends Error {
  override name = "NotSent";
}

export type EffectCall = {
  actor: Identity;
  params: Record<string, unknown>;
  signal: AbortSignal;
  /** To be called right before anything leaves this process. Throws `NotSent` when it is too late. */
  confirmSend(): void;
};

export type EffectHandler = {
  timeoutMs: number;
  /** How many run at once in this process; more wait in line. */
  concurrency: number;
  /** Executes; resolves to the command that answers, or null when none is due. */
  run(call: EffectCall): Promise<MachineEvent | null>;
  /** The command for an effect that threw, timed out or was not sent; null: leave it to the watchdog. */
  failed(params: Record<string, unknown>, error: unknown): MachineEvent | null;
};

export type Effects = {
  /** `committedAt` on the monotonic clock, ms. */
  execute(actor: Identity, type: string, params: Record<string, unknown>, committedAt: number): void;
  /** The actor has ended: what still waits in line for it is not wanted any more. */
  forget(actor: string): void;
  /** Resolves when nothing is running or in line. */
  idle(): Promise<void>;
  running(): number;
  /** Aborts what is running; its answers are dropped. */
  close(): void;
};

/** As `Clock.after`, on the native timer. */
const afterNative: Clock["after"] = (ms, fire) => {
  const timer = setTimeout(fire, ms);
  return () => clearTimeout(timer);
};

export const createEffects = (deps: {
  handlers: Record<string, EffectHandler>;
  notAfterMs: number;
  /** Time that no correction of a clock moves, ms; what `committedAt` is measured in. */
  monotonic?(): number;
  after?: Clock["after"];
  /** Takes the outcome back to the actor. Resolves when it was committed. */
  answer(actor: string, command: MachineEvent): Promise<void>;
  /** Told of each effect that was executed: its answer's name, or `nothing`, `not_sent`, `failed`. */
  observe?(effect: string, outcome: string, seconds: number): void;
  log: Log;
}): Effects => {
  const { monotonic = () => performance.now(), after = afterNative } = deps;
  const stop = new AbortController();
  const lines = new Map<string, { running: number; waiting: (() => void)[] }>();
  const open = new Set<Promise<void>>();
  /** The newest effect of each kind, by actor. An older one that still waits in line has been overtaken. */
  const newest = new Map<string, Map<string, symbol>>();

  const register = (actor: string, type: string): symbol => {
    const token = Symbol(type);
    newest.set(actor, (newest.get(actor) ?? new Map()).set(type, token));
    return token;
  };
  const isNewest = (actor: string, type: string, token: symbol) => newest.get(actor)?.get(type) === token;
  const unregister = (actor: string, type: string, token: symbol) => {
    if (!isNewest(actor, type, token)) return;
    newest.get(actor)?.delete(type);
    if (newest.get(actor)?.size === 0) newest.delete(actor);
  };

  const enter = async (type: string, limit: number) => {
    const line = lines.get(type) ?? { running: 0, waiting: [] };
    lines.set(type, line);
    if (line.running >= limit) await new Promise<void>((resolve) => line.waiting.push(resolve));
    else line.running++;
    return () => {
      const next = line.waiting.shift();
      if (next) next();
      else line.running--;
    };
  };

  const attempt = async (
    actor: Identity,
    type: string,
    params: Record<string, unknown>,
    committedAt: number,
    token: symbol,
  ): Promise<MachineEvent | null> => {
    const handler = deps.handlers[type];
    if (!handler) throw new Error(`no handler for effect ${type}`);
    const leave = await enter(type, handler.concurrency);
    if (!isNewest(actor.id, type, token)) {
      leave();
      return null;
    }
    const began = monotonic();
    const observe = (outcome: string) => deps.observe?.(type, outcome, (monotonic() - began) / 1000);
    const late = new AbortController();
    const disarm = after(handler.timeoutMs, () => late.abort(new Error(`${type} took over ${handler.timeoutMs} ms`)));
    const signal = AbortSignal.any([late.signal, stop.signal]);
    const confirmSend = () => {
      signal.throwIfAborted();
      if (monotonic() > committedAt + deps.notAfterMs) throw new NotSent(`${type} came up too late`);
    };
    let drop = () => {};
    const aborted = new Promise<never>((_, reject) => {
      drop = () => reject(signal.reason);
      signal.addEventListener("abort", drop, { once: true });
    });
    try {
      const command = await Promise.race([handler.run({ actor, params, signal, confirmSend }), aborted]);
      observe(command?.type ?? "nothing");
      return command;
    } catch (error) {
      if (stop.signal.aborted) return null;
      observe(error instanceof NotSent ? "not_sent" : "failed");
      if (!(error instanceof NotSent)) deps.log.warn({ err: error, effect: type, job_id: actor.id }, "effect failed");
      return handler.failed(params, error);
    } finally {
      disarm();
      signal.removeEventListener("abort", drop);
      leave();
    }
  };

  return {
    execute: (actor, type, params, committedAt) => {
      if (stop.signal.aborted) return;
      const token = register(actor.id, type);
      const run = attempt(actor, type, params, committedAt, token)
        .then((command) => (command ? deps.answer(actor.id, command) : undefined))
        .catch((error) => {
          // Erased meanwhile: there is nobody whom it could matter to.
          const erased = error instanceof Problem && error.code === "not_found";
          deps.log[erased ? "debug" : "error"](
            { err: error, effect: type, job_id: actor.id },
            "effect's answer was lost",
          );
        })
        .finally(() => {
          open.delete(run);
          unregister(actor.id, type, token);
        });
      open.add(run);
    },
    forget: (actor) => newest.delete(actor),
    idle: async () => {
      while (open.size > 0) await Promise.allSettled(open);
    },
    running: () => open.size,
    close: () => stop.abort(new Error("shutting down")),
  };
};
