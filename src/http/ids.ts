import { Type } from "@sinclair/typebox";

// Lower case only, and not the `uuid` format, which also takes `urn:uuid:…`: an id has one spelling,
// so it can key caches and mailboxes, and PostgreSQL takes every value that passes.
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

export const isUuid = (text: string): boolean => UUID.test(text);

/** A UUID of any version, in lower case. In `params` anything else answers 404. */
export const Id = Type.String({ pattern: UUID.source, description: "A UUID in lower case" });
