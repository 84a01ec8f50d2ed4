import { readdir, writeFile } from "node:fs/promises";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** `npm run migrate:new NAME`: makes the next numbered, empty migration. */
const DIRECTORY = new URL("../../sql/migrations/", import.meta.url);
const name = process.argv
  .slice(2)
  .join("_")
  .toLowerCase()
  .replaceAll(/[^a-z0-9]+/g, "_")
  .replaceAll(/^_+|_+$/g, "");
if (name === "") {
  console.error("usage: npm run migrate:new NAME, e.g. npm run migrate:new add_credit");
  process.exitCode = 1;
} else {
  const last = (await readdir(DIRECTORY)).filter((file) => /^\d{6}_.*\.sql$/.test(file)).length;
  const file = new URL(`${String(last + 1).padStart(6, "0")}_${name}.sql`, DIRECTORY);
  await writeFile(
    file,
    "-- What this changes, and why. Migrations roll forward only and are never edited once applied.\n\n",
    {
      flag: "wx",
    },
  );
  console.log(`wrote ${fileURLToPath(file)}; then run \`npm run schema\``);
}
