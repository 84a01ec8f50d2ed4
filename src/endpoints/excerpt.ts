const LENGTH = 1000;
const SECRETS = [
  /whsec_[A-Za-z0-9+/=_-]+/g,
  /v1,[A-Za-z0-9+/=]{20,}/g,
  /\b(?:Bearer|Basic)\s+[\w.~+/=-]+/gi,
  /\b(?:X-Amz-(?:Signature|Credential|Security-Token)|signature|token|secret|password|api[_-]?key)["']?\s*[=:]\s*["']?[^\s"'&<>,}]+/gi,
];

/**
 * What is kept of a receiver's answer: its beginning, without what looks like a secret (receivers like to repeat what
 * they were sent) and without what PostgreSQL does not store.
 */
export const excerptOf = (text: string): string => {
  // Cut first, with room for what is taken out, so that a pattern never walks through much.
  const beginning = text.slice(0, 4 * LENGTH).replaceAll("\0", "");
  return SECRETS.reduce((left, secret) => left.replace(secret, "[redacted]"), beginning)
    .slice(0, LENGTH)
    .toWellFormed();
};
