/**
 * The name of a file without the path that it came with, and without what nobody sees: controls, marks of format and
 * line separators. `nameless` when nothing is left.
 */
export const plainName = (name: string, nameless: string): string => {
  const last = name.toWellFormed().normalize("NFC").split(/[/\\]/).at(-1) ?? "";
  const seen = last.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "").trim();
  return /^\.*$/.test(seen) ? nameless : seen;
};
