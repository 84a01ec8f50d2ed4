import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { describe } from "../http/describe.ts";
import type { Exchanges } from "../http/exchange.ts";
import type { Receiver } from "./receive.ts";

/** Its bodies are to be taken as they come: signatures are over the bytes, whatever their type. */
export const HOOK_ROUTE = "/hooks/:provider/:token";

/** Where providers call us. */
export const createHookRoutes = ({ receiver, exchanges }: { receiver: Receiver; exchanges: Exchanges }) =>
  new Elysia({ name: "webhooks" }).post(
    HOOK_ROUTE,
    async ({ params, request }) => {
      const receive = receiver.open(params.provider, params.token);
      await receive({ headers: request.headers, body: exchanges.of(request).rawBody ?? new Uint8Array() });
      return { received: true };
    },
    {
      params: Type.Object({ provider: Type.String(), token: Type.String() }),
      response: { 200: Type.Object({ received: Type.Boolean() }) },
      detail: describe({
        tag: "webhooks",
        summary: "A provider's webhook",
        description:
          "The provider is given this URL with each submit; it names the attempt. A delivery is verified by its raw " +
          "bytes as that provider signs them, and then only makes the job look at the provider now: what it says is " +
          "not taken for true. One that comes again, or when the job has ended, is acknowledged and does nothing.",
        problems: ["bad_request", "unauthenticated", "too_large"],
      }),
    },
  );
