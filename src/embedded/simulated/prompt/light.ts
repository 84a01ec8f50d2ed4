import type { Mood } from "../drawing/palette.ts";

/** Words by meaning, separated by spaces; a trailing `*` takes any ending. Lower case, `ё` as `е`. */
type Words<K extends string> = Partial<Record<K, string>>;

/** Words that set the light. The first found decides. */
export const MOODS: Words<Mood> = {
  neon: "neon cyberpunk synthwave outrun vaporwave retrowave blade futuristic cyber неон* киберпанк* футурист*",
  warm: "warm golden cozy cosy amber honey candlelight candle* tender тепл* золот* уютн* янтарн*",
  pastel: "pastel* soft gentle delicate dreamy kawaii marshmallow пастел* нежн* мягк*",
  noir: "noir monochrome grayscale greyscale b&w gothic grim нуар черно-бел* монохром* готич*",
  vintage:
    "vintage retro antique nostalgic film analog polaroid sepia faded old-fashioned винтаж* ретро старинн* сепия пленк*",
  minimal:
    "minimal minimalist* clean simple scandinavian zen japandi beige минимал* простой простая простое чист* сканди* бежев*",
  storm: "storm* moody gloomy dramatic thunder* overcast foggy dark шторм* буря бури гроз* мрачн* пасмурн* темн*",
  ocean: "turquoise teal aqua aquamarine бирюз* лазур*",
  fire: "fire fiery flame* lava hell inferno volcanic infernal огонь огн* пламя лава адск*",
  emerald: "emerald lush jade mossy jungle изумруд*",
  fantasy:
    "fantasy magic* mystical fairy fairytale* enchanted dream ethereal surreal фэнтези волшебн* магич* сказк* сказоч* сюрреал*",
  candy: "candy colorful colourful vibrant vivid rainbow playful pop ярк* красочн* разноцветн* радужн*",
  desert: "arid sandy ochre песочн* охра",
};

/** Words for a colour of the subject, with the mood that the colour is when there is nothing else to go by. */
export const COLOURS = [
  ["red crimson scarlet ruby красн* алый алые багров*", "#c8322b", "fire"],
  ["orange ginger tangerine оранжев* рыж*", "#e8842c", "warm"],
  ["yellow golden blonde желт* золотист*", "#f0bf3a", "warm"],
  ["green olive зелен* салатов*", "#3f8f56", "emerald"],
  ["blue navy azure cobalt синий синяя синее синие синего голуб*", "#2f6fc4", "ocean"],
  ["purple violet lilac magenta фиолетов* лилов* сиренев*", "#8350c4", "fantasy"],
  ["pink rosy fuchsia розов*", "#ee7fa5", "candy"],
  ["brown chestnut beige коричнев*", "#7c5236", "vintage"],
  ["white ivory snow-white белый белая белое белые белого белой", "#efeae2", "minimal"],
  ["black черн*", "#26262c", "noir"],
  ["grey gray silver серый серая серое серые серого серебрист*", "#868c96", "noir"],
] as const satisfies readonly (readonly [string, string, Mood])[];

/** Words that set the time of day. */
export const TIMES: Words<"dawn" | "day" | "sunset" | "dusk" | "night"> = {
  dawn: "dawn sunrise daybreak morning misty рассвет* утр* заря зари зарей",
  day: "day daytime noon midday sunny bright daylight день днем дневн* полдень солнечн*",
  sunset: "sunset* sundown golden-hour закат*",
  dusk: "dusk twilight evening sumer* gloaming blue-hour сумер* вечер*",
  night:
    "night* midnight moon moonlit moonlight star stars starry nocturnal aurora northern ноч* полноч* лун* звезд* сияни*",
};

/** Words that set the season. */
export const SEASONS: Words<"spring" | "summer" | "autumn" | "winter"> = {
  spring: "spring blossom* blooming sakura cherry весн* цветущ* сакур*",
  summer: "summer* tropical лето летом лета летн* тропич*",
  autumn: "autumn* fall october november foliage осен* октябр* листопад*",
  winter: "winter* snow* ice icy frozen frost* christmas arctic зим* снег* снеж* лед ледян* мороз* рождеств*",
};

/** Words for what falls from the sky or hangs in the air. */
export const WEATHERS: Words<"rain" | "snow" | "fog"> = {
  rain: "rain rainy raining rainfall raindrop* wet drizzle downpour storm* дожд* ливен* мокр*",
  snow: "snow* snowfall blizzard* christmas снег* снеж* метел* рождеств*",
  fog: "fog* mist misty haze hazy туман* дымк*",
};
