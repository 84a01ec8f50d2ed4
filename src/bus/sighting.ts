import { headers, type MsgHdrs } from "nats";
import type { Sighting } from "../ports.ts";

const encoder = new TextEncoder();

/** A snapshot as a message: CloudEvents 1.0 in binary mode, of type `darkroom.node.seen` or `darkroom.breaker.seen`. */
export const encodeSighting = (sighting: Sighting, source: string): { data: Uint8Array; headers: MsgHdrs } => {
  const { id, at, ...seen } = sighting;
  const attributes = headers();
  attributes.set("ce-specversion", "1.0");
  attributes.set("ce-id", id);
  attributes.set("ce-source", source);
  attributes.set("ce-type", `darkroom.${seen.machine}.seen`);
  attributes.set("ce-subject", seen.provider ?? seen.node);
  attributes.set("ce-time", new Date(at).toISOString());
  attributes.set("content-type", "application/json");
  return { data: encoder.encode(JSON.stringify(seen)), headers: attributes };
};
