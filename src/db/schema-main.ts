import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startPostgres } from "../embedded/postgres.ts";
import { createLog } from "../log.ts";
import { connect } from "./connect.ts";
import { describeSchema } from "./describe.ts";
import { migrate } from "./migrate.ts";

/** `npm run schema`: writes sql/schema.sql from the migrations, by way of a throw-away database. */
const FILE = fileURLToPath(new URL("../../sql/schema.sql", import.meta.url));
const dataDir = await mkdtemp(join(tmpdir(), "darkroom-schema-"));
const server = await startPostgres({ dataDir, log: createLog("error"), settings: { fsync: "off" } });
const sql = connect(server.url, { max: 1, role: "admin" });
try {
  await migrate(sql);
  await writeFile(FILE, await describeSchema(sql));
  console.log("wrote sql/schema.sql");
} finally {
  await sql.end({ timeout: 5 });
  await server.stop();
  await rm(dataDir, { recursive: true, force: true });
}
