/** A provider's file host for the bench: one video of `BYTES` bytes, made as it is sent. Prints where it is. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createOutputs } from "../emulators/kit-outputs.ts";
import { untilAlone } from "./neighbour.ts";

const outputs = createOutputs(() => origin);
const server = createServer(async (incoming, outgoing) => {
  const { status = 200, headers, body } = await outputs.serve(incoming.url ?? "/");
  outgoing.writeHead(status, headers);
  await pipeline(body as Readable, outgoing).catch(() => outgoing.destroy());
});
untilAlone(async () => server.closeAllConnections());
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
process.stdout.write(
  `${JSON.stringify({
    origin,
    small: outputs.add("small.mp4", { mime: "video/mp4", size: 8_000_000 }),
    large: outputs.add("large.mp4", { mime: "video/mp4", size: Number(process.env.BYTES) }),
  })}\n`,
);
