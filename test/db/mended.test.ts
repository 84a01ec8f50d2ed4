import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { assertMended, connect } from "../../src/db/connect.ts";

describe("postgres.js", () => {
  it("is the one that the install script has mended", async () => {
    const sql = connect("postgres://localhost/nowhere", { max: 1, role: "read" });
    assert.equal(assertMended(sql), sql);
    await sql.end();
  });

  it("as it comes from npm is refused, and how to mend it is said", () => {
    assert.throws(() => assertMended({ options: { idle_timeout: 1 } }), /patch-package --patch-dir src\/db\/patches/);
  });
});
