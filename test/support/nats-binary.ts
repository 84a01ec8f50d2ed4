import { constants } from "node:fs";
import { access } from "node:fs/promises";
import process from "node:process";
import { findProgram, getProgram } from "./debian-package.ts";

const PACKAGE = { name: "nats-server", program: "usr/sbin/nats-server" };

/** nats-server as NATS_SERVER_BIN names it, else from PATH, else as it was unpacked before; undefined: nowhere. */
export const findNats = async (): Promise<string | undefined> => {
  const { NATS_SERVER_BIN: given } = process.env;
  if (!given) return findProgram(PACKAGE);
  await access(given, constants.X_OK).catch(() => {
    throw new Error(`NATS_SERVER_BIN is no program: ${given}`);
  });
  return given;
};

/**
 * The same, else unpacked from the Debian package.
 * @throws Error with the one line that installs it where none of these is possible
 */
export const obtainNats = async (): Promise<string> => (await findNats()) ?? (await getProgram(PACKAGE, "these tests"));
