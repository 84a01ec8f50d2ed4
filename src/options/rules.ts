/**
 * The recommender's rules: one table. A rule speaks once for a text, when one of its phrases stands there not negated
 * (patterns as in phrases.ts), or when the attachments or the hints are as it says; it adds its scores to the tools and
 * to the models. A negated phrase of a rule with `denies` takes those tools off the table. A phrase without a
 * meaning of its own (`neutral`) is there to use up words: a movie poster is not a movie.
 *
 * Sizes: an attached image decides (100); naming a medium 4, naming it first 2 more; asking for a transformation 8;
 * naming a tool 30; hints of motion or stillness 2 to 3; nothing said at all 1 for the image.
 */
import type { Tool } from "../models/tool.ts";
import type { Hints } from "./hints.ts";

/** What is attached; an image counts before a video, anything else is nothing. */
export type Attached = "none" | "image" | "video";

export type Rule = {
  name: string;
  words?: readonly string[];
  attached?: Attached;
  hint?: keyof Hints;
  scores: Partial<Record<Tool, number>>;
  /** Scores for models, by key: which one of those that have the tool. */
  models?: Readonly<Record<string, number>>;
  denies?: readonly Tool[];
  /** Names the medium; the one that is named first is meant most. */
  medium?: boolean;
};

const IMAGE: readonly Tool[] = ["text_to_image", "image_to_image"];
const VIDEO: readonly Tool[] = ["text_to_video", "image_to_video"];
const image = (score: number) => ({ text_to_image: score, image_to_image: score });
const video = (score: number) => ({ text_to_video: score, image_to_video: score });

const PICTURE = "photo|photos|photograph|photographs|picture|pictures|image|images|pic|pics";
const PICTURE_RU = "фото|фотк*|фоток|фотографи*|картин*|изображени*|снимк*|снимок";
const CLIP = "video|videos|clip|clips|movie|film|animation|gif|footage";
const CLIP_RU = "видео|видос*|видеоролик*|ролик*|клип*|мультик*|анимаци*|гифк*";

export const RULES: readonly Rule[] = [
  { name: "image_by_default", scores: image(1) },
  { name: "image_attached", attached: "image", scores: { image_to_image: 100, image_to_video: 100 } },
  { name: "video_attached", attached: "video", scores: video(2) },

  {
    name: "neutral",
    words: [
      "video|computer|board game|games|card|cards|call|calls|wall|camera|store|shop|art|conference|console",
      "movie|film theater|theatre|star|stars|director|camera|set|night|reel|noir|grain|stock|photography|look",
      "movies|cinema theater",
      "animation|anime|cartoon style|studio",
      "clip art|clipart",
      "paper|hair clip|clips",
      "film strip",
      "mm|16mm|35mm|8mm film",
      "on|analog|analogue|instant film",
      "motion blur|sensor|picture|pictures",
      "big|full|bigger picture",
      "portrait mode|orientation|format|aspect",
      "picture|photo frame|frames|album|wall",
      "picture|pictures|photo|photos|photographs|images on|hanging|everywhere",
      "photo|video studio|editor",
      "на роликах",
      "роликов* коньк*",
      "картинг*",
      "видеоигр*|видеокамер*|видеокарт*|видеозвон*|фотоаппарат*|фотограф|фотографа|фотографом|фотостуди*|фоторамк*",
      "фото|фотографи*|картин*|изображени* на|над стен*|стол*|полк*|камин*",
    ],
    scores: {},
  },
  {
    name: "neutral_source",
    words: [
      `this|that|these|my|our|attached|uploaded|above ${PICTURE}|${CLIP}`,
      `from a|an|the|this|that|my|our? ${PICTURE}|${CLIP}`,
      `have|got a|an|the|this|some? ${PICTURE}`,
      `из|по|с этого|этой|этих|моего|моей|моих? ${PICTURE_RU}|${CLIP_RU}`,
      `эту|это|этот|эти|этой|мою|мое|мои|моей ${PICTURE_RU}|${CLIP_RU}`,
      `есть ${PICTURE_RU}`,
    ],
    scores: {},
  },

  {
    name: "names_text_to_image",
    words: ["text|txt|words to|2 image|img|picture|photo", "txt2img|t2i"],
    scores: image(30),
  },
  { name: "names_image_to_image", words: ["image|img|photo to|2 image|img|photo", "img2img|i2i"], scores: image(30) },
  { name: "names_text_to_video", words: ["text|txt to|2 video|vid", "txt2vid|t2v"], scores: video(30) },
  { name: "names_image_to_video", words: ["image|img|photo|picture to|2 video|vid", "img2vid|i2v"], scores: video(30) },

  {
    name: "names_image",
    medium: true,
    words: [
      PICTURE,
      "image|images|picture|photo of|showing|featuring|depicting",
      "still image|photo|picture|frame|shot",
      "film|analog|analogue|instant photo|photos|photograph|photographs|picture|pictures",
      PICTURE_RU,
    ],
    scores: image(4),
    denies: IMAGE,
  },
  {
    // Apart from `names_image`, because `no logo` and `without icons` are wishes about a picture.
    name: "names_artwork",
    medium: true,
    words: [
      "drawing|drawings|painting|paintings|illustration|illustrations|sketch|sketches|artwork|watercolor|watercolour",
      "portrait|portraits|headshot|selfie|poster|posters|logo|logos|wallpaper|wallpapers|avatar|avatars|icon|icons",
      "sticker|stickers|thumbnail|thumbnails|postcard|infographic|banner|meme|collage|mockup|jpeg|jpg|png|webp",
      "3d render|rendering",
      "cover art",
      "still life",
      "album|book|magazine cover",
      "movie|film|video|game|concert poster|posters|cover|thumbnail|thumbnails|still|stills|logo|banner",
      "рисунк*|рисунок|иллюстраци*|портрет*|постер*|плакат*|логотип*|аватарк*|обои|обоев|иконк*|стикер*|набросок",
      "эскиз*|открытк*|обложк*|коллаж*|мем|баннер*|акварел*|натюрморт*",
      "кадр*|постер*|афиш*|обложк* к|из|для? фильм*|видео|видеоролик*|ролик*|клип*",
    ],
    scores: image(4),
  },
  {
    name: "names_video",
    medium: true,
    words: [
      CLIP,
      "portrait|music|short|square|vertical|promo|intro video|clip|film",
      "movies|films|animations|gifs|trailer|teaser|timelapse|hyperlapse|cinemagraph|vlog|mp4|webm|cartoon episode",
      "time lapse",
      "stop motion",
      CLIP_RU,
      "видеоклип*|фильм*|мультфильм*|трейлер*|тизер*|таймлапс*|гиф",
    ],
    scores: video(4),
    denies: VIDEO,
  },
  {
    name: "draws",
    words: ["draw|paint|illustrate|depict", "нарису*|рисуй|рисуйте|рисовать|изобрази*|сфотографируй*|набросай*"],
    scores: image(4),
    denies: IMAGE,
  },
  {
    name: "animates",
    words: [
      "animate|animating|animates",
      "bring|brings|bringing ... to life",
      `into|to a|an|short|cinematic|looping? a|an|short|cinematic|looping? ${CLIP}`,
      "make ... move|dance|walk|talk|run|fly|wave|blink|sing|spin|rotate",
      "set|put|setting it|him|her|them? in|into motion",
      "оживи*|оживить|анимируй*|анимировать|заанимируй*",
      `в ${CLIP_RU}`,
      "пусть он|она|оно|они? двига*|движ*|танцу*|ид*|бежит|летит|поет|говорит|машет",
    ],
    scores: video(8),
    denies: VIDEO,
  },
  {
    name: "moves",
    words: [
      "slow|fast motion",
      "slow mo",
      "slowmo|slowmotion|panning|flythrough|flyover",
      "come|comes|coming to? alive|life",
      "in motion",
      "camera pan|pans|zoom|zooms|moves|movement|motion|orbits|flies|follows|tracks|tilts|dolly|slowly?",
      "tracking|dolly|orbit|crane shot",
      "smooth|camera|fluid motion|movement",
      "frames per second",
      "fps|24fps|30fps|60fps|looping",
      "seamless|perfect loop",
      "замедленн* съемк*|движени*",
      "слоумо|зациклен*|пролет*",
      "камера|камеры|камерой лет*|движ*|облет*|приближ*|вращ*|наезж*|следу*|пролет*",
      "в движени*",
      "движени* камер*",
      "кадров|кадра в секунду",
    ],
    scores: video(3),
  },
  { name: "lasts", hint: "duration", scores: video(3) },
  {
    name: "sounds",
    words: [
      "with|add a|some? sound|sounds|audio|music|voice|voiceover|speech|dialogue|dialog|narration",
      "talking head",
      "lip sync|syncing",
      "lipsync|voiceover",
      "с|со звук*|музык*|голос*|озвучк*|речью|диалог*",
      "озвучь*|озвучк*",
    ],
    scores: video(3),
    models: { veo_fast: 4 },
  },
  {
    name: "social_video",
    words: [
      "tiktok|tiktoks|reels|рилс*|тикток*|шортс*",
      "youtube shorts|short",
      "instagram|insta|facebook reel|reels",
      "commercial spot",
      "рекламн* ролик*|видео*",
    ],
    scores: video(4),
  },
  {
    name: "photographic",
    words: [
      "photography|photoshoot|bokeh|polaroid|macro",
      "long exposure",
      "shot on|with",
      "close up",
      "боке|макросъемк*",
      "крупн* план*",
    ],
    scores: image(2),
  },
  {
    name: "edits",
    words: [
      "edit|retouch|restyle|upscale|colorize|colourise|recolor|inpaint|outpaint|crop|replace|swap|remove|erase",
      "change|blur the|its|his|her|my",
      "in the style of",
      "отредактир*|отретушир*|стилизу*|перекрас*|раскрас*|замени*|убери*|удали*|вырежи*|обработай*|улучши*|измени*",
      "в стиле",
    ],
    scores: { image_to_image: 4 },
  },

  {
    name: "likes_cheap",
    words: ["cheap|cheaper|cheapest|budget|draft|inexpensive", "дешев*|подешевле|недорог*|черновик*"],
    scores: {},
    models: { seedance: 2 },
  },
  {
    name: "likes_fashion",
    words: ["fashion|lookbook", "модн* съемк*|образ*|фотосесси*"],
    scores: {},
    models: { soul: 2 },
  },
  {
    name: "likes_lettering",
    words: ["lettering|typography|typographic", "with the? text|words|caption|inscription", "надпис*|текстом"],
    scores: {},
    models: { seedream: 2 },
  },
  {
    name: "likes_camera_move",
    words: ["crash|dolly|bullet zoom|time", "crane|dolly|orbit|arc shot"],
    scores: {},
    models: { dop: 2 },
  },
  {
    name: "says_nano_banana",
    words: ["nano|нано banana|банана|банан", "nanobanana", "gemini image"],
    scores: image(4),
    models: { nano_banana: 20 },
  },
  { name: "says_seedream", words: ["seedream", "see|seed dream"], scores: image(4), models: { seedream: 20 } },
  { name: "says_soul", words: ["higgsfield soul", "soul model|standard"], scores: image(4), models: { soul: 20 } },
  {
    name: "says_flux",
    words: ["flux|schnell", "flux schnell"],
    scores: image(4),
    models: { flux_schnell: 20, flux_kontext: 19 },
  },
  { name: "says_kontext", words: ["kontext", "flux 1? kontext"], scores: image(4), models: { flux_kontext: 20 } },
  {
    name: "says_kontext_max",
    words: ["kontext max", "flux kontext max"],
    scores: image(4),
    models: { flux_kontext_max: 21 },
  },
  { name: "says_reve", words: ["reve model|remix|edit"], scores: image(4), models: { reve: 20 } },
  { name: "says_popcorn", words: ["higgsfield popcorn"], scores: image(4), models: { popcorn: 20 } },
  { name: "says_sora", words: ["sora", "openai sora"], scores: video(4), models: { sora: 20 } },
  { name: "says_hailuo", words: ["hailuo|minimax"], scores: video(4), models: { hailuo: 20 } },
  { name: "says_wan", words: ["wan 2.5|2|model|video"], scores: video(4), models: { wan: 20 } },
  { name: "says_kling", words: ["kling|клинг*"], scores: video(4), models: { kling: 20, kling_2_5: 19 } },
  {
    name: "says_seedance",
    words: ["seedance", "seed dance"],
    scores: video(4),
    models: { seedance: 20, seedance_lite: 19 },
  },
  { name: "says_veo", words: ["veo", "google veo"], scores: video(4), models: { veo_fast: 20, veo: 19 } },
  { name: "says_dop", words: ["higgsfield dop", "dop model"], scores: { image_to_video: 4 }, models: { dop: 20 } },
];
