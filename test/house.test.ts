/**
 * The law of the house: who may import whom. An arrow may skip down, never up:
 *
 *   main → app, runtime → api → services → inspect, retention, slices → http, streams → actors → facts
 *     → db, bus, storage, providers, embedded → net → config, log, errors, ports → machines
 *
 * Types count like values: a type that points up is a design that points up.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, posix } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** A slice may import those after it. */
const SLICES = [
  "live",
  "endpoints",
  "webhooks",
  "batches",
  "chats",
  "options",
  "jobs",
  "attachments",
  "models",
  "auth",
];
/** From the top. What stands in one layer does not know of each other, except for the slices. */
const LAYERS = [
  ["main"],
  ["app", "runtime"],
  ["api"],
  ["services"],
  ["inspect", "retention", ...SLICES],
  ["http", "streams"],
  ["actors"],
  ["facts"],
  ["db", "bus", "storage", "providers", "embedded"],
  ["net"],
  ["config", "log", "errors", "ports"],
  ["machines"],
];
/** Live beside the layers: a browser and a foreign program have none of what is above. */
const OUTSIDE = ["client", "web"];

/** Chosen at the composition root and nowhere else. */
const IMPLEMENTATIONS = [/^src\/bus\/(memory|nats)\.ts$/, /^src\/storage\/s3\.ts$/, /^src\/(embedded|providers)\//];

/** Programs of their own: launched, never imported, each its own composition root. */
const isProgram = (path: string) => /(^src\/main|-main)\.(ts|mjs)$|^src\/db\/migrate-new\.ts$/.test(path);

const filesIn = (directory: string, pattern: RegExp): string[] =>
  readdirSync(new URL(`../${directory}/`, import.meta.url), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => posix.join(entry.parentPath.slice(ROOT.length), entry.name))
    .sort();

/** Code without its comments; strings stay. */
const withoutComments = (text: string) =>
  text.replace(/("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\*[\s\S]*?\*\/|\/\/.*/g, "$1");

const files = [...filesIn("src", /\.(ts|mjs)$/), ...filesIn("machines", /\.ts$/)];
const code = new Map(files.map((file) => [file, withoutComments(readFileSync(`${ROOT}${file}`, "utf8"))]));
const specifiers = (file: string): string[] =>
  [...(code.get(file) ?? "").matchAll(/\b(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(([, specifier]) => specifier ?? "");

/** Imports of our own files: `{from, to}`, paths from the root. */
const arrows = files.flatMap((from) =>
  specifiers(from)
    .filter((specifier) => specifier.startsWith("."))
    .map((specifier) => ({ from, to: posix.join(dirname(from), specifier) })),
);

/** `jobs` for src/jobs/reads.ts, `config` for src/config.ts, `machines` for machines/job.ts. */
const placeOf = (path: string): string => {
  const [top = "", second = "", ...rest] = path.split("/");
  if (isProgram(path)) return "main";
  if (top === "machines") return top;
  return rest.length === 0 ? basename(second, ".ts") : second;
};
const layerOf = (place: string) => LAYERS.findIndex((layer) => layer.includes(place));

const mayImport = (from: string, to: string): boolean => {
  if (from === to) return true;
  if (SLICES.includes(from) && SLICES.includes(to)) return SLICES.indexOf(from) < SLICES.indexOf(to);
  return layerOf(from) < layerOf(to);
};

const show = ({ from, to }: { from: string; to: string }) => `${from} imports ${to}`;

/** The first cycle that a walk along the imports finds, as a list of files. */
const findCycle = (): string[] => {
  const done = new Set<string>();
  const walk = (file: string, way: string[]): string[] => {
    if (way.includes(file)) return [...way.slice(way.indexOf(file)), file];
    if (done.has(file)) return [];
    for (const { to } of arrows.filter(({ from }) => from === file)) {
      const cycle = walk(to, [...way, file]);
      if (cycle.length > 0) return cycle;
    }
    done.add(file);
    return [];
  };
  for (const file of files) {
    const cycle = walk(file, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
};

const violations = (broken: (arrow: { from: string; to: string }) => boolean) => arrows.filter(broken).map(show);
const filesWith = (pattern: RegExp, allowed: (file: string) => boolean) =>
  files.filter((file) => !allowed(file) && pattern.test(code.get(file) ?? ""));

describe("the law of the house", () => {
  it("sees the house", () => {
    assert.ok(files.length > 100, `${files.length} files`);
    assert.ok(arrows.length > 200, `${arrows.length} imports`);
    assert.deepEqual(
      arrows.filter(({ to }) => !files.includes(to)).map(show),
      [],
      "every import is a file of ours, by its full name",
    );
  });

  it("gives every file its place", () => {
    const places = new Set(files.map(placeOf));
    assert.deepEqual(
      [...places].filter((place) => layerOf(place) < 0 && !OUTSIDE.includes(place)),
      [],
    );
  });

  it("knows no import cycles, not even of types", () => assert.deepEqual(findCycle(), []));

  it("lets imports point down only", () =>
    assert.deepEqual(
      violations(({ from, to }) => !OUTSIDE.includes(placeOf(from)) && !mayImport(placeOf(from), placeOf(to))),
      [],
    ));

  it("keeps the client and the console apart: they know words, and the console the client", () =>
    assert.deepEqual(
      violations(({ from, to }) => {
        const [here, there] = [placeOf(from), placeOf(to)];
        if (!OUTSIDE.includes(here)) return OUTSIDE.includes(there);
        return here !== there && !/words\.ts$/.test(to) && !(here === "web" && there === "client");
      }),
      [],
    ));

  it("launches programs, and imports none", () =>
    assert.deepEqual(
      violations(({ to }) => isProgram(to)),
      [],
    ));

  it("lets only main know the runtimes", () =>
    assert.deepEqual(
      violations(({ from, to }) => placeOf(to) === "runtime" && !["main", "runtime"].includes(placeOf(from))),
      [],
    ));

  it("lets only the composition root choose implementations", () =>
    assert.deepEqual(
      violations(
        ({ from, to }) =>
          IMPLEMENTATIONS.some((pattern) => pattern.test(to)) &&
          !["services", "main", placeOf(to)].includes(placeOf(from)),
      ),
      [],
    ));

  it("lets machines know nothing but XState, TypeBox and each other", () => {
    const known = /^(\.\/[\w.-]+\.ts|xstate|@sinclair\/typebox)$/;
    assert.deepEqual(
      files
        .filter((file) => placeOf(file) === "machines")
        .flatMap((file) => specifiers(file).filter((specifier) => !known.test(specifier))),
      [],
    );
  });

  it("keeps what differs between runtimes small: each file under 100 lines", () => {
    const long = filesIn("src/runtime", /./).filter(
      (file) => readFileSync(`${ROOT}${file}`, "utf8").split("\n").length > 100,
    );
    assert.deepEqual(long, []);
  });

  it("names a runtime only where runtimes live", () => {
    assert.deepEqual(
      filesWith(/\b(?:Bun|Deno)\b|from "bun|jsr:|npm:/, (file) => file.startsWith("src/runtime/")),
      [],
    );
  });

  it("opens one door for writing: only the group commit names its query", () =>
    assert.deepEqual(
      filesWith(/["'`]commitUnits["'`]|\bcommit_units\s*\(/, (file) => file === "src/actors/commit.ts"),
      [],
    ));

  it("speaks of XState's own events in one file", () =>
    assert.deepEqual(
      filesWith(/xstate\./, (file) => file === "machines/step.ts"),
      [],
    ));

  it("names files after what they are", () => {
    const all = [...files, ...filesIn("test", /\.ts$/)];
    assert.deepEqual(
      all.filter((file) => /\/(utils?|common|helpers?|types|index|misc|shared)(\/|\.[\w.]+$)/.test(file)),
      [],
    );
    assert.deepEqual(
      all.filter((file) => !/^[a-z0-9]+([.-][a-z0-9]+)*\.(ts|mjs)$/.test(basename(file))),
      [],
    );
  });
});
