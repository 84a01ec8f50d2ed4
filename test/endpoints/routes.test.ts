import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { until } from "../streams/until.ts";
import { startApp, type TestApp } from "../support/app.ts";
import type { Client, ProblemBody } from "../support/client.ts";
import { startChat } from "../support/flow.ts";
import { changeTo, deliveriesOf, type Made, sendTest, SETTINGS, type Shown, subscribe } from "./bundle.ts";
import { openReceiver } from "./receiver.ts";

const URL = "https://app.example/hooks";
type Page<T> = { items: T[]; next_cursor: string | null };

describe("the routes of webhooks", () => {
  let app: TestApp;
  before(async () => {
    app = await startApp(SETTINGS);
  });
  after(() => app[Symbol.asyncDispose]());
  const someone = () => app.as(randomUUID());
  const make = (client: Client, body: object = { url: URL }) => client.post<Made & ProblemBody>("/webhooks", body);

  it("show the secret once", async () => {
    const client = await someone();
    const { status, headers, body } = await make(client);
    assert.equal(status, 201);
    assert.equal(headers.get("location"), `/webhooks/${body.id}`);
    assert.match(body.secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
    const { secret: _, ...rest } = body;
    assert.deepEqual(rest, {
      id: body.id,
      url: URL,
      events: ["*"],
      ordered: false,
      disabled_at: null,
      disabled_reason: null,
      failing_since: null,
      previous_secret_until: null,
      created_at: body.created_at,
    });
    const rotated = await client.post<Made>(`/webhooks/${body.id}/rotate`);
    const shown = [
      await client.get(`/webhooks/${body.id}`),
      await client.get("/webhooks"),
      await client.send("PATCH", `/webhooks/${body.id}`, { body: { ordered: true } }),
    ];
    for (const answer of shown) assert.doesNotMatch(JSON.stringify(answer.body), /whsec_|"secret"/);
    assert.notEqual(rotated.body.secret, body.secret);
  });

  it("take URLs and events only that there can be", async () => {
    const client = await someone();
    const refused = async (body: object) => {
      const answer = await make(client, body);
      assert.deepEqual([answer.status, answer.body.code], [422, "validation_failed"], JSON.stringify(body));
      return answer.body.errors?.map(({ path }) => path);
    };
    for (const url of [
      "",
      "words",
      "ftp://app.example",
      "https://me:word@app.example",
      `${URL}#there`,
      `${URL}${"x".repeat(2000)}`,
    ])
      assert.deepEqual(await refused({ url }), ["/url"], url);
    for (const events of [["job.flew"], ["jobs.*"], ["webhook.disabled"], ["delivery.*"], ["*.succeeded"], [""]])
      assert.deepEqual(await refused({ url: URL, events }), ["/events/0"], events.join());
    for (const events of [[], ["*", "*"]]) assert.deepEqual(await refused({ url: URL, events }), ["/events"]);
    const { body } = await make(client, { url: URL, events: ["job.*", "chat.created", "*"] });
    const changed = await client.send<ProblemBody>("PATCH", `/webhooks/${body.id}`, { body: { url: "words" } });
    assert.equal(changed.status, 422);
  });

  it("let a user have so many and no more, also when they come all at once", async () => {
    const client = await someone();
    const answers = await Promise.all(Array.from({ length: 30 }, () => make(client)));
    assert.equal(answers.filter(({ status }) => status === 201).length, 20);
    for (const { status, body } of answers)
      assert.ok(status === 201 || (status === 409 && body.code === "conflict"), String(status));
    const listed = await client.get<Page<Made>>("/webhooks?limit=15");
    assert.deepEqual([listed.body.items.length, listed.body.next_cursor === null], [15, false]);
    const rest = await client.get<Page<Made>>(`/webhooks?limit=15&cursor=${listed.body.next_cursor}`);
    assert.deepEqual([rest.body.items.length, rest.body.next_cursor], [5, null]);
    const [one] = rest.body.items;
    assert.equal((await client.send("DELETE", `/webhooks/${one?.id}`)).status, 204);
    assert.equal((await make(client)).status, 201);
  });

  it("lose no change of several at once", async () => {
    const client = await someone();
    const { body } = await make(client);
    const changes = [{ url: `${URL}/2` }, { events: ["job.*"] }, { ordered: true }, { disabled: true }];
    await Promise.all([
      ...changes.map((change) => changeTo(client, body.id, change)),
      client.post(`/webhooks/${body.id}/rotate`),
    ]);
    const found = (await client.get<Made>(`/webhooks/${body.id}`)).body;
    assert.deepEqual(
      [found.url, found.events, found.ordered, found.disabled_reason],
      [`${URL}/2`, ["job.*"], true, "user"],
    );
    assert.notEqual(found.previous_secret_until, null);
  });

  it("list deliveries by page and by status", async () => {
    const client = await someone();
    await using receiver = await openReceiver();
    const webhook = await subscribe(client, receiver, { events: ["chat.created"] });
    for (const title of ["a", "b", "c"]) await startChat(client, title);
    await until(async () => (await deliveriesOf(client, webhook.id, "&status=SUCCEEDED")).length === 3);
    const all = await deliveriesOf(client, webhook.id);
    assert.deepEqual(await deliveriesOf(client, webhook.id, "&status=FAILED"), []);
    const paged: Shown[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const after: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const { body }: { body: Page<Shown> } = await client.get(`/webhooks/${webhook.id}/deliveries?limit=2${after}`);
      paged.push(...body.items);
      cursor = body.next_cursor;
    }
    assert.deepEqual(paged, all);
    assert.equal((await client.get(`/webhooks/${webhook.id}/deliveries?status=LOST`)).status, 422);
  });

  it("know nobody else's", async () => {
    const [ada, bob] = [await someone(), await someone()];
    await using receiver = await openReceiver();
    const webhook = await subscribe(ada, receiver);
    const delivery = await sendTest(ada, webhook.id);
    const routes: [string, string][] = [
      ["GET", `/webhooks/${webhook.id}`],
      ["PATCH", `/webhooks/${webhook.id}`],
      ["DELETE", `/webhooks/${webhook.id}`],
      ["POST", `/webhooks/${webhook.id}/rotate`],
      ["POST", `/webhooks/${webhook.id}/test`],
      ["GET", `/webhooks/${webhook.id}/deliveries`],
      ["GET", `/webhooks/deliveries/${delivery}`],
      ["POST", `/webhooks/deliveries/${delivery}/redeliver`],
    ];
    const body = (method: string) => (method === "PATCH" ? { body: { ordered: true } } : {});
    for (const [method, path] of routes) {
      const answer = await bob.send<ProblemBody>(method, path, body(method));
      assert.deepEqual([answer.status, answer.body.code], [404, "not_found"], `${method} ${path}`);
    }
    assert.deepEqual((await bob.get<Page<Made>>("/webhooks")).body.items, []);
    assert.equal((await ada.send("DELETE", `/webhooks/${webhook.id}`)).status, 204);
    for (const [method, path] of routes)
      assert.equal((await ada.send(method, path, body(method))).status, 404, `${method} ${path}, deleted`);
  });
});
