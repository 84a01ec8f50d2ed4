import assert from "node:assert/strict";
import type { Client } from "./client.ts";

const parseLabels = (text = ""): Record<string, string> =>
  Object.fromEntries([...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = "", value = ""]) => [name, value]));

/** Scrapes `/metrics`. `value` sums the samples that carry these labels; 0 when there are none. */
export const metricsOf = async (client: Client) => {
  const { status, body } = await client.get<string>("/metrics");
  assert.equal(status, 200);
  const samples = body.split("\n").flatMap((line) => {
    const [, name, labels, value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    return name ? [{ name, labels: parseLabels(labels), value: Number(value) }] : [];
  });
  return {
    value: (name: string, labels: Record<string, string> = {}): number =>
      samples
        .filter((sample) => sample.name === name)
        .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
        .reduce((sum, { value }) => sum + value, 0),
  };
};
