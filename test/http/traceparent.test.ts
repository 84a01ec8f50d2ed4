import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { traceIdOf, traceparentOf } from "../../src/http/traceparent.ts";
import { createClient, setup } from "./bundle.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const GIVEN = `00-${TRACE}-b7ad6b7169203331-01`;

const taken = (traceparent?: string) =>
  traceparentOf(new Request("http://localhost/", { headers: traceparent === undefined ? {} : { traceparent } }));

describe("the trace of a request", () => {
  it("is the caller's, as it came", () => {
    for (const flags of ["00", "01", "03", "ff"])
      assert.equal(taken(GIVEN.replace(/01$/, flags)), GIVEN.replace(/01$/, flags));
    assert.equal(traceIdOf(GIVEN), TRACE);
  });

  it("is a new one for each request that brings none", () => {
    const [one, other] = [taken(), taken()];
    assert.match(one, /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    assert.notEqual(traceIdOf(one), traceIdOf(other));
    assert.equal(taken(one), one);
  });

  it("is a new one where the caller's is malformed", () => {
    for (const malformed of [
      "",
      TRACE,
      GIVEN.toUpperCase(),
      GIVEN.replace("00-", "01-"),
      GIVEN.replace("00-", "ff-"),
      GIVEN.replace("00-", "0-"),
      `${GIVEN}-00`,
      GIVEN.slice(0, -1),
      GIVEN.replace("-b7", "_b7"),
      GIVEN.replace(TRACE, "0".repeat(32)),
      GIVEN.replace("b7ad6b7169203331", "0".repeat(16)),
      GIVEN.replace("0af7", "0ag7"),
      `${GIVEN}, ${GIVEN}`,
    ])
      assert.notEqual(traceIdOf(taken(malformed)), TRACE, malformed);
  });

  it("is in the access log by its id", async () => {
    const { base, lines } = setup();
    await createClient(base).send("/nothing", { headers: { traceparent: GIVEN } });
    assert.equal(lines.find(({ event }) => event === "http_request")?.trace_id, TRACE);
  });
});
