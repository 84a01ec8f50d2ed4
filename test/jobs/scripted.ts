import type { CheckOutcome, Provider, SubmitOutcome } from "../../src/ports.ts";

/** A provider in this process that answers as it is told; it never finishes anything by itself. */
export const scripted = (name: string, rates?: Provider["rates"]) => {
  const self = {
    /** What was submitted: the provider's model ids. */
    submits: [] as string[],
    checks: 0,
    submit: (): SubmitOutcome => ({ kind: "accepted", ref: `ref-${self.submits.length}` }),
    check: (): CheckOutcome => ({ kind: "running" }),
    provider: {
      name,
      capabilities: { idempotentSubmit: false, findable: false, webhooks: false, cancel: true },
      ...(rates && { rates }),
      submit: async ({ model }) => {
        self.submits.push(model);
        return self.submit();
      },
      find: async () => ({ kind: "unknown" }),
      check: async () => {
        self.checks++;
        return self.check();
      },
      cancel: async () => ({ kind: "canceled" }),
      download: () => Promise.reject(new Error("there is nothing")),
    } as Provider,
  };
  return self;
};
