const NAMELESS = "file";

/** The name of a file without the path that it came with, and without what nobody sees: controls and marks of format. */
export const plainName = (name: string): string => {
  const last = name.normalize("NFC").split(/[/\\]/).at(-1) ?? "";
  const seen = last.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "").trim();
  return /^\.*$/.test(seen) ? NAMELESS : seen;
};
