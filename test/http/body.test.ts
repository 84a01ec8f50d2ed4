import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Problem } from "../../src/errors.ts";
import { readBody } from "../../src/http/body.ts";

const post = (body: ReadableStream<Uint8Array>) =>
  new Request("http://localhost/", { method: "POST", body, duplex: "half" } as RequestInit);

describe("reading a body", () => {
  it("ends with 400 when the rest of it never comes", async () => {
    let canceled = false;
    const stuck = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new Uint8Array(3)),
      cancel: () => {
        canceled = true;
      },
    });
    await assert.rejects(readBody(post(stuck), 100, 10), (error) => error instanceof Problem && error.status === 400);
    assert.ok(canceled);
  });

  it("joins the pieces, up to the limit and not beyond", async () => {
    const pieces = () => {
      const left = [[1, 2], [], [3]];
      return new ReadableStream<Uint8Array>({
        pull: (controller) => {
          const piece = left.shift();
          if (piece) controller.enqueue(Uint8Array.from(piece));
          else controller.close();
        },
      });
    };
    assert.deepEqual([...(await readBody(post(pieces()), 3))], [1, 2, 3]);
    await assert.rejects(readBody(post(pieces()), 2), (error) => error instanceof Problem && error.status === 413);
    assert.equal((await readBody(new Request("http://localhost/"), 3)).length, 0);
  });

  it("passes on the failure of a client that goes away", async () => {
    const broken = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(Object.assign(new Error("gone"), { code: "ECONNRESET" })),
    });
    await assert.rejects(readBody(post(broken), 3));
  });
});
