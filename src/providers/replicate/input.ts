import type { Generation } from "../../ports.ts";

/** Where an input picture goes. Cog ignores fields that a model does not have, so a wrong name would cost money. */
type ImageField = { name: string; many: boolean };

/** By `owner/model`, from the models' published input schemas. */
const IMAGE_FIELDS: ReadonlyMap<string, ImageField> = new Map([
  ["bytedance/seedream-4", { name: "image_input", many: true }],
  ["bytedance/seedream-4.5", { name: "image_input", many: true }],
  ["bytedance/seedance-1-lite", { name: "image", many: false }],
  ["bytedance/seedance-1-pro", { name: "image", many: false }],
]);

const MODEL = /^([a-z0-9][\w.-]*\/[a-z0-9][\w.-]*)(?::([\w-]{1,128}))?$/i;

export type Request = { path: string; body: { version?: string; input: Record<string, unknown> } };

export type Built = { ok: true; request: Request } | { ok: false; code: string; message: string };

const refused = (code: string, message: string): Built => ({ ok: false, code, message });

const picturesOf = (model: string, inputs: string[]): Record<string, unknown> | null => {
  if (inputs.length === 0) return {};
  const field = IMAGE_FIELDS.get(model);
  if (!field || (!field.many && inputs.length > 1)) return null;
  return { [field.name]: field.many ? inputs : inputs[0] };
};

/**
 * The create call for a generation: `owner/model` takes the route of official models, `owner/model:version` the one
 * of versions. A generation that the model cannot take is refused here, before anything is billed.
 */
export const buildRequest = ({ model, prompt, params, inputs }: Generation): Built => {
  const [, name, version] = MODEL.exec(model) ?? [];
  if (!name) return refused("model_unavailable", "This is not the name of a model on Replicate");
  const pictures = picturesOf(name, inputs);
  if (!pictures) return refused("invalid_request", `${name} does not take ${inputs.length} input images`);
  const input = { ...params, prompt, ...pictures };
  return version
    ? { ok: true, request: { path: "/predictions", body: { version, input } } }
    : { ok: true, request: { path: `/models/${name}/predictions`, body: { input } } };
};
