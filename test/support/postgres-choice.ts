/** Asks for a test database as a test file does, and says what came of it: for tests of the choice itself. */
import { connect } from "../../src/db/connect.ts";
import { cloneDatabase, stopCluster } from "./postgres.ts";

try {
  const { url } = await cloneDatabase();
  const sql = connect(url, { max: 1, role: "admin" });
  const [row] = await sql`select current_setting('server_version') as version`;
  await sql.end();
  console.log(`PostgreSQL ${row?.version} at ${url}`);
} finally {
  await stopCluster();
}
