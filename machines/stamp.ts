import { type Static, Type } from "@sinclair/typebox";

/**
 * What the host adds to every event before a machine sees it, so that machines need neither a clock
 * nor randomness: the instant (ms since the epoch), a uniform draw in [0, 1) and a fresh UUIDv7.
 */
export const Stamp = Type.Object({
  at: Type.Number(),
  draw: Type.Number(),
  id: Type.String(),
});
export type Stamp = Static<typeof Stamp>;

/** A creation's `input` carries the same stamp; XState hands it over inside `xstate.init`. */
export const stampOf = (event: Partial<Stamp> & { input?: Partial<Stamp> }): Stamp => {
  const source = event.at === undefined ? (event.input ?? {}) : event;
  return { at: source.at ?? 0, draw: source.draw ?? 0.5, id: source.id ?? "" };
};
