import { type Browser, chromium } from "playwright-core";
import { findProgram } from "./debian-package.ts";

/** Its sandbox does not work as root, nor its shared memory in a small container. */
const FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"];

/**
 * A headless Chromium, from the PATH: with all that it needs it is too much to unpack. The caller closes it.
 * @param hosts which `host:port` is where, so that a page's origin may be any: `{"app.example:3000": "127.0.0.1:41234"}`
 * @throws Error with the one line that installs it where there is none
 */
export const startBrowser = async (hosts: Record<string, string> = {}): Promise<Browser> => {
  const executablePath = await findProgram({ name: "chromium", program: "usr/bin/chromium" });
  if (!executablePath) {
    const hint = "sudo apt-get install chromium  (macOS: brew install chromium)";
    throw new Error(`these tests need chromium. Install it with:  ${hint}`);
  }
  const rules = Object.entries(hosts).map(([from, to]) => `MAP ${from} ${to}`);
  const args = rules.length === 0 ? FLAGS : [...FLAGS, `--host-resolver-rules=${rules.join(", ")}`];
  return chromium.launch({ executablePath, args });
};
