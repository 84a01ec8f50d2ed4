import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DEMO_PASSWORD, DEMO_USER } from "../../src/auth/demo.ts";
import { createGate } from "../../src/auth/gate.ts";
import { createPasswords } from "../../src/auth/passwords.ts";
import { Problem } from "../../src/errors.ts";

const cheap = () => createPasswords({ cost: 4 });
const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("a password", () => {
  it("is known by its hash, which tells its own parameters and no two are alike", async () => {
    const passwords = cheap();
    const [a, b] = await Promise.all([passwords.hash("correct horse"), passwords.hash("correct horse")]);
    assert.match(a, /^\$scrypt\$ln=4,r=8,p=3\$[\w+/]{22}\$[\w+/]{43}$/);
    assert.notEqual(a, b);
    assert.ok(await passwords.verify("correct horse", a));
    assert.ok(await createPasswords({ cost: 5 }).verify("correct horse", b));
    for (const wrong of ["correct hors", "correct horse ", "", "CORRECT HORSE"])
      assert.ok(!(await passwords.verify(wrong, a)), wrong);
  });

  it("may be typed in either Unicode form", async () => {
    const passwords = cheap();
    assert.ok(await passwords.verify("cafe\u0301", await passwords.hash("caf\u00e9")));
  });

  it("of nobody is wrong, and so is any against a damaged hash", async () => {
    const passwords = cheap();
    const hash = await passwords.hash("x");
    const damaged = [
      "",
      "x",
      hash.slice(0, -30),
      hash.replace("ln=4", "ln=30"),
      hash.replace("r=8", "r=99"),
      hash.replace("p=3", "p=0"),
      hash.replace("$scrypt", "$bcrypt"),
    ];
    for (const text of [null, ...damaged]) assert.equal(await passwords.verify("x", text), false, String(text));
  });

  it("of the demo user is the seeds'", async () => {
    assert.equal(DEMO_PASSWORD, "password123");
    assert.ok(await cheap().verify("password123", DEMO_USER.passwordHash));
    assert.ok(!(await cheap().verify("password124", DEMO_USER.passwordHash)));
  });
});

describe("the gate before scrypt", () => {
  it("lets few through, makes some wait, and refuses the rest with 503", async () => {
    const gate = createGate({ width: 2, waiting: 3 });
    let running = 0;
    let most = 0;
    const release: (() => void)[] = [];
    const task = () =>
      gate(async () => {
        most = Math.max(most, ++running);
        await new Promise<void>((resolve) => release.push(resolve));
        running--;
      });
    const started = Array.from({ length: 5 }, task);
    await assert.rejects(task(), (error) => error instanceof Problem && error.code === "unavailable");
    for (let done = 0; done < 5; done++) {
      await tick();
      release[done]?.();
    }
    await Promise.all(started);
    assert.deepEqual([most, running], [2, 0]);
    assert.equal(await gate(async () => "free again"), "free again");
  });

  it("opens again after a task that fails", async () => {
    const gate = createGate({ width: 1, waiting: 1 });
    const failing = gate(() => Promise.reject(new Error("no")));
    const next = gate(async () => "yes");
    await assert.rejects(failing, /no/);
    assert.equal(await next, "yes");
  });
});
