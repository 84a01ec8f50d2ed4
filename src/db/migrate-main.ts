import process from "node:process";
import { connect } from "./connect.ts";
import { migrate } from "./migrate.ts";

/** `npm run migrate`: brings the database of DATABASE_URL (or DB_DSN) up to date. */
const url = process.env.DATABASE_URL || process.env.DB_DSN;
if (!url) {
  console.error("DATABASE_URL is not set. (Embedded PostgreSQL is migrated by `npm start`.)");
  process.exitCode = 1;
} else {
  const sql = connect(url.replace("+asyncpg", ""), { max: 1, role: "admin" });
  try {
    const names = await migrate(sql);
    console.log(names.length > 0 ? `applied ${names.join(", ")}` : "nothing to do");
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  } finally {
    await sql.end({ timeout: 5 });
  }
}
