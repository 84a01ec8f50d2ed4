/** The text of README.md: an introduction and a picture of every machine. */
import type { AnyStateMachine } from "xstate";
import { attachmentMachine } from "./attachment.ts";
import { batchMachine } from "./batch.ts";
import { breakerMachine } from "./breaker.ts";
import { deliveryMachine } from "./delivery.ts";
import { drawMachine, listInner } from "./diagram.ts";
import { jobMachine } from "./job.ts";
import { nodeMachine } from "./node.ts";

type Chapter = { title: string; file: string; machine: AnyStateMachine; text: string };

const CHAPTERS: Chapter[] = [
  {
    title: "Job",
    file: "job.ts",
    machine: jobMachine,
    text: `One generation: it waits for a slot, submits once, polls with backoff and stores what was made.
A deadline or a cancel during the submit waits until its outcome is known: what was paid for does not get lost.`,
  },
  {
    title: "Batch",
    file: "batch.ts",
    machine: batchMachine,
    text: `The jobs of one request: each tells it when it starts and when it ends.
It has no timers of its own, because every job ends by its own deadlines.`,
  },
  {
    title: "Attachment",
    file: "attachment.ts",
    machine: attachmentMachine,
    text: `An upload, from the signed URL to bytes that may be used.
Its bytes are trusted only after they were looked at and copied to where no upload can write.`,
  },
  {
    title: "Delivery",
    file: "delivery.ts",
    machine: deliveryMachine,
    text: `One event on its way to one endpoint of a user. It is sent when it is its turn, and again until the receiver has taken it.
What is sent is read from the log each time, so its links are fresh.`,
  },
  {
    title: "Breaker",
    file: "breaker.ts",
    machine: breakerMachine,
    text: `The way to one provider, as one node sees it. It lives in memory, as a plain actor.
When it opens, the provider's account pauses on all nodes; afterwards one probe is let through.`,
  },
  {
    title: "Node",
    file: "node.ts",
    machine: nodeMachine,
    text: `The life of one node, from its boot to an orderly end. It lives in memory, as a plain actor.
While it drains, it is not ready; then it begins nothing by itself and waits for what it had begun.`,
  },
];

const INTRODUCTION = `# Machines

Generated from the machines by \`npm run diagrams\`; a test compares.

Each machine is plain XState: \`setup\`, \`after\`, guards, \`emit\`, named actions. Here is neither clock nor randomness nor
I/O: instants, draws and ids come in with the events (\`stamp.ts\`). In production a machine is stepped by \`step.ts\` over a
stored snapshot: what it emits becomes facts, its named actions become effects after the commit, its delays become
instants in the row. \`registry.ts\` knows every kind and its version.

In the pictures \`after x\` is a delay by its name and \`[x]\` a guard. Where arrows of one event leave a state, the first
whose guard holds is taken. A dot in a ring is a final state.`;

const chapter = ({ title, file, machine, text }: Chapter): string => {
  const inner = listInner(machine);
  return [
    `## ${title}`,
    `${text} ([${file}](${file}))`,
    `\`\`\`mermaid\n${drawMachine(machine)}\n\`\`\``,
    ...(inner === "" ? [] : ["Taken without leaving the state:", inner]),
  ].join("\n\n");
};

/** All of README.md, ending with a newline. */
export const machinesReadme = (): string => `${[INTRODUCTION, ...CHAPTERS.map(chapter)].join("\n\n")}\n`;
