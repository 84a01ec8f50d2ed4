/**
 * The style words that each model's prompts gain. One table: for each model and tool, what to add in this order, and
 * what in the user's words (patterns as in phrases.ts) or parameters makes it unwanted. A style that is already in
 * the prompt is never added.
 */
import type { Tool } from "../models/tool.ts";

export type Style = {
  add: string;
  /** Said by the user, these leave no place for it: another medium, another light. */
  unless?: readonly string[];
  /** Parameters that leave no place for it. */
  unlessParams?: Readonly<Record<string, unknown>>;
};

const PHOTO = [
  "photo real|realistic|realism",
  "photorealism|photoreal|realistic|hyperrealistic|фотореалист*|реалистич*|гиперреалист*",
];
/** A medium that is not a photograph. */
const ARTWORK = [
  "watercolor*|watercolour*|anime|manga|cartoon*|comic|comics|sketch*|drawing*|painting*|illustration*|illustrated",
  "draw|paint|vector|flat|minimalist|lineart|logo|logos|icon|icons|sticker*|clay|claymation|origami|lego|voxel|fresco",
  "ukiyo|impressionis*|cubis*|surreal*|abstract|stylized|stylised|gouache|pastel|charcoal|mosaic|graffiti|infographic",
  "pixel|line|oil|digital|concept|folk|pop|paper art|paint|cut",
  "pixelart|pixar|ghibli|disney",
  "3d render|cartoon|model",
  "low poly",
  "not photo|realistic|photorealistic",
  "акварел*|аниме|манга|манги|мультяш*|мультик*|мультфильм*|комикс*|эскиз*|рисунк*|рисунок|нарису*|рисуй|живопис*",
  "иллюстраци*|вектор*|пиксел*|логотип*|иконк*|стикер*|абстракт*|гуаш*|пастел*|оригами|граффити|масл*|мозаик*",
];
const LIGHT = [
  "light|lights|lighting|lit|sunset|sunrise|dusk|dawn|night|neon|moonlight|sunlight|sunny|dark|backlit|candle*|studio",
  "golden|blue hour",
  "свет*|освещени*|закат*|рассвет*|ноч*|неон*|луна|лунн*|солн*|темн*|свеч*|сумер*|студи*",
];
const SOFT = ["blur|blurry|blurred|bokeh|haze|hazy|mist|misty|dreamy|soft|размыт*|боке|дымк*|туман*|мягк*"];
const STILL_CAMERA = [
  "static|fixed|locked|still camera|shot|tripod",
  "handheld|shaky|tripod",
  "camera does? not|doesn't move",
  "статичн*|неподвижн* камер*|кадр*",
  "камера не двига*|движ*",
];
const CAMERA = [
  ...STILL_CAMERA,
  "camera pan*|zoom*|orbit*|fl*|follow*|track*|tilt*|move*|dolly",
  "камера|камеры лет*|движ*|облет*",
];

const detail: Style = { add: "high detail", unless: ["minimalist|simple|flat|detailed|детал*|подробн*|минимал*"] };
const photoreal: Style = { add: "photorealistic", unless: [...PHOTO, ...ARTWORK] };
const cinematic: Style = { add: "cinematic", unless: ["киношн*|кинематограф*", ...ARTWORK] };

const fromWords: readonly Style[] = [
  cinematic,
  { add: "smooth camera motion", unless: CAMERA, unlessParams: { camera_fixed: true } },
];
const fromImage: readonly Style[] = [{ add: "smooth natural motion" }, { add: "consistent subject" }];
const film: Template = { text_to_video: fromWords, image_to_video: fromImage };
const animation: Template = { image_to_video: fromImage };
const cameraMove: Template = {
  image_to_video: [{ add: "smooth camera motion", unless: CAMERA }, { add: "consistent subject" }],
};
/** These models edit what they are told to and keep the rest; more words make them change more. */
const edit: Template = { image_to_image: [] };

const people: Template = {
  text_to_image: [
    { add: "lifelike skin texture", unless: ARTWORK },
    { add: "editorial photography", unless: ARTWORK },
    { add: "natural light", unless: [...ARTWORK, ...LIGHT] },
  ],
};

export type Template = Partial<Record<Tool, readonly Style[]>>;

/** By model key; a model or tool that is not here leaves prompts as they are. */
export const TEMPLATES: Readonly<Record<string, Template>> = {
  nano_banana: {
    text_to_image: [
      photoreal,
      { add: "natural light", unless: [...ARTWORK, ...LIGHT] },
      { add: "sharp focus", unless: [...ARTWORK, ...SOFT] },
      detail,
    ],
    image_to_image: [{ add: "consistent with the source image" }],
  },
  seedream: {
    text_to_image: [{ add: "balanced composition" }, detail],
    image_to_image: [{ add: "consistent with the reference images" }],
  },
  soul: people,
  flux_schnell: { text_to_image: [{ add: "sharp focus", unless: [...ARTWORK, ...SOFT] }, detail] },
  flux_kontext: { text_to_image: [detail], ...edit },
  flux_kontext_max: { text_to_image: [detail] },
  reve: { text_to_image: [detail], ...edit },
  reve_fast: edit,
  reve_remix: edit,
  reve_fast_remix: edit,
  popcorn: { text_to_image: [detail], image_to_image: [{ add: "consistent with the reference images" }] },
  soul_reference: edit,
  soul_set: { ...people, ...edit },
  dop_set: cameraMove,
  kling: {
    text_to_video: [
      cinematic,
      { add: "smooth camera motion", unless: CAMERA },
      { add: "natural lighting", unless: [...ARTWORK, ...LIGHT] },
    ],
    image_to_video: fromImage,
  },
  seedance: film,
  seedance_lite: film,
  seedance_pro: film,
  kling_2_5: film,
  kling_2_1_master: film,
  kling_2_1_pro: animation,
  kling_2_1: film,
  veo_fast: {
    text_to_video: [
      cinematic,
      {
        add: "natural ambient sound",
        unless: ["silent|sound|sounds|audio|music|voice|mute|без? звук*", "музык*|тишин*"],
        unlessParams: { generate_audio: false },
      },
    ],
    image_to_video: fromImage,
  },
  veo: film,
  veo_3_1_fast: film,
  sora: film,
  sora_pro: film,
  hailuo: film,
  hailuo_pro: film,
  hailuo_fast: animation,
  hailuo_fast_pro: animation,
  hailuo_02: film,
  hailuo_02_pro: film,
  wan: film,
  dop: cameraMove,
  dop_turbo: cameraMove,
  dop_lite: cameraMove,
};
