import type { FactDescription } from "../streams/describe.ts";
import { Option } from "./words.ts";

/** Everything that options tell. */
export const optionFacts: FactDescription[] = [
  {
    type: "option.created",
    summary: "Something that can be pressed was offered",
    kept: { name: "Option", schema: Option },
    shown: { name: "Option", schema: Option },
  },
];
