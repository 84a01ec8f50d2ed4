/**
 * The catalog: every model that Darkroom knows, and which of them are on offer here. A model is served by its
 * own provider when that one is configured, else by `simulated` when that one is on, else it is not offered.
 */
import { HIGGSFIELD_IMAGE_MODELS } from "./higgsfield-images.ts";
import { HIGGSFIELD_V1_MODELS } from "./higgsfield-v1.ts";
import { HIGGSFIELD_VIDEO_MODELS } from "./higgsfield-videos.ts";
import { IMAGE_MODELS } from "./images.ts";
import type { Model, OfferedModel } from "./model.ts";
import { VIDEO_MODELS } from "./videos.ts";

/** Every model; of those with the same tool the preferred one comes first. */
export const MODELS: readonly Model[] = [
  ...IMAGE_MODELS,
  ...VIDEO_MODELS,
  ...HIGGSFIELD_IMAGE_MODELS,
  ...HIGGSFIELD_VIDEO_MODELS,
  ...HIGGSFIELD_V1_MODELS,
];

/** The model of that key, offered or not (an old job may name one that is no longer on offer). */
export const findModel = (key: string): Model | undefined => MODELS.find((model) => model.key === key);

/**
 * The models on offer, given the names of the providers that are configured (`simulated` among them when it is on).
 * Those run by a real provider come first, otherwise in catalog order.
 */
export const offered = ({ providers }: { providers: ReadonlySet<string> }): OfferedModel[] => {
  const real = MODELS.filter((model) => providers.has(model.provider));
  const rest = providers.has("simulated") ? MODELS.filter((model) => !providers.has(model.provider)) : [];
  return [
    ...real.map((model) => ({ ...model, through: model.provider })),
    ...rest.map((model) => ({ ...model, through: "simulated" as const })),
  ];
};
