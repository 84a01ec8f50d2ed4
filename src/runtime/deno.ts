import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Listening, ListenOptions, Served } from "../streams/session.ts";
import { bindError } from "./busy.ts";
import { inTurn, watch } from "./deno-connection.ts";
import { answer } from "./deno-messages.ts";
import { createUpgrades } from "./deno-upgrade.ts";
import { limitBody } from "./limit.ts";

/** `Deno.serve` waits for ever for a client that says nothing; Deno's server of `node:http` has limits for that. */
const LIMITS = {
  headersTimeout: 10_000,
  connectionsCheckingInterval: 2000,
  keepAliveTimeout: 30_000,
  /** The whole request, an upload too. */
  requestTimeout: 15 * 60_000,
};
/** What a request in flight may still take when the listener stops. */
const STOP_MS = 3000;

const shouldUpgradeCallback = ({ headers }: IncomingMessage) => headers.upgrade?.toLowerCase() === "websocket";

const bind = async (server: Server, host: string, port: number): Promise<number> => {
  server.listen(port, host);
  await once(server, "listening").catch((error) => {
    throw bindError(error, host, port);
  });
  return (server.address() as AddressInfo).port;
};

/** Serves `app` with Deno. Rejects with a sentence for the operator when the port cannot be had. */
export const listen = async ({ host, port, maxBody }: ListenOptions, app: Served): Promise<Listening> => {
  const upgrades = createUpgrades(app);
  const serve = (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> =>
    answer(incoming, outgoing, async (request) => {
      const limited = limitBody(request, maxBody);
      if (limited instanceof Response) return limited;
      return app.fetch(limited, { address: incoming.socket.remoteAddress ?? "" });
    }).catch(() => {
      if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(500).end();
    });
  const server = createServer({ ...LIMITS, shouldUpgradeCallback }, inTurn(serve));
  server.on("connection", watch);
  server.on("upgrade", upgrades.upgrade);
  const bound = await bind(server, host, port);

  const stop = async () => {
    const closed = Promise.all([once(server, "close"), upgrades.close()]);
    server.close();
    const patience = setTimeout(() => {
      server.closeAllConnections();
      upgrades.cut();
    }, STOP_MS);
    await closed;
    clearTimeout(patience);
  };
  let stopping: Promise<void> | undefined;
  return { port: bound, stop: () => (stopping ??= stop()) };
};
