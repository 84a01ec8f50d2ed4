import type { Mood } from "../drawing/palette.ts";

/** What a picture can be of. Each has its file in `scenes/`. */
export type Family =
  | "sea"
  | "mountains"
  | "forest"
  | "city"
  | "village"
  | "desert"
  | "meadow"
  | "road"
  | "space"
  | "underwater"
  | "portrait"
  | "animal"
  | "flowers"
  | "cup"
  | "product"
  | "room"
  | "abstract";

/** Words by meaning, separated by spaces; a trailing `*` takes any ending. Lower case, `ё` as `е`. */
type Words<K extends string> = Partial<Record<K, string>>;

/** Subjects, with how strongly their words claim the picture. */
export const FAMILIES: readonly (readonly [Family, number, string])[] = [
  ["portrait", 5, "portrait* headshot* selfie* face faces closeup avatar портрет* лицо лица аватар*"],
  [
    "portrait",
    3.2,
    "woman women man men girl girls boy boys lady gentleman child children kid person people human professor scientist teacher bride clown shaman nun farmer worker soldier sailor captain fisherman king queen princess prince knight warrior wizard witch samurai astronaut* cosmonaut* robot* android* cyborg* chef doctor dancer musician singer hero heroine elf viking pirate grandma grandpa grandmother grandfather father mother monk профессор* учен* учител* женщин* мужчин* девушк* девочк* мальчик* парень человек люд* старик* бабушк* дедушк* моряк* капитан* рыбак* корол* принцес* рыцар* воин* волшебник* ведьм* самура* астронавт* космонавт* робот* киборг* пират* викинг* эльф*",
  ],
  [
    "animal",
    4.4,
    "cat cats kitten* kitty dog dogs puppy puppies fox foxes wolf wolves bird birds owl owls sparrow robin parrot* eagle* raven* crow crows animal* pet pets hare rabbit* bunny кот кота коту котик* котен* кошк* собак* щенок щенк* пес лис лиса лису лисы лисиц* волк* птиц* сова сову совы животн* заяц зайц* кролик*",
  ],
  [
    "flowers",
    4,
    "flower* bouquet* vase* rose roses tulip* peony peonies daisy daisies sunflower* orchid* lily lilies poppy poppies blossom* bloom* floral still-life цвет цветы цветов цветок букет* ваз* роза розы роз тюльпан* пион* ромашк* подсолнух* натюрморт*",
  ],
  [
    "cup",
    4.2,
    "coffee latte cappuccino espresso tea cup mug drink* cocoa chocolate matcha breakfast food dessert кофе латте капучино эспрессо чай чая чашк* кружк* какао напит* завтрак* десерт* еда еды",
  ],
  [
    "product",
    3.4,
    "product* perfume* bottle* cosmetic* packshot jar cream lotion serum commercial advert* packaging watch jewelry whisky wine beer lamp товар* продукт* духи духов парфюм* бутыл* флакон* косметик* крем крема реклам* упаковк* вино вина",
  ],
  [
    "underwater",
    4,
    "underwater jellyfish* fish fishes coral* reef* whale* dolphin* shark* turtle* mermaid* octopus* submarine aquarium подводн* медуз* рыба рыбы рыб рыбк* коралл* риф* кит киты китов дельфин* акул* русалк* осьминог*",
  ],
  [
    "space",
    3.6,
    "space planet* galaxy galaxies nebula* cosmos cosmic universe saturn jupiter mars spaceship* spacecraft* rocket* asteroid* comet* orbit* alien* interstellar космос* космич* планет* галактик* туманност* вселенн* сатурн* юпитер* марс* ракет* комет* орбит* инопланет*",
  ],
  [
    "road",
    3.6,
    "car cars road roads highway* drive driving motorcycle* truck* van route outrun synthwave retrowave vaporwave машин* автомобил* дорог* шоссе трасс* мотоцикл*",
  ],
  [
    "village",
    3.6,
    "village* hamlet chalet* cottage* house houses hut huts home homes cabin* farmhouse* town деревн* деревушк* село поселк* дом дома домик* изб* хижин* шале",
  ],
  [
    "city",
    3.4,
    "city cities skyline* downtown skyscraper* street streets urban metropolis* alley* tokyo york manhattan hongkong shanghai cyberpunk building* architecture tower* rooftop* город* улиц* небоскреб* мегаполис* москв* токио здани* башн* киберпанк*",
  ],
  [
    "desert",
    3.6,
    "desert* dune dunes sahara sand sands camel* caravan* oasis arab* cactus cacti canyon* пустын* дюн* бархан* сахар* песок песк* верблюд* караван* оазис* кактус* каньон*",
  ],
  [
    "forest",
    3.4,
    "forest* wood woods woodland* jungle* grove* path trail trees park redwood* birch* лес леса лесу лесн* рощ* чащ* джунгл* тропинк* тропа парк парке берез* аллея",
  ],
  [
    "mountains",
    3.4,
    "mountain* peak peaks alp alps alpine summit* ridge* himalaya* everest fjord* valley* cliff* volcano* hiking glacier* lake lakes гора горы гор горн* вершин* альп* хребет* хребт* эверест* фьорд* долин* скал* вулкан* ледник* озер*",
  ],
  [
    "sea",
    3.4,
    "sea seas ocean* beach* wave waves shore* coast* sail sails sailing sailboat* boat boats ship ships yacht* harbor* harbour* lighthouse* island* bay seaside surf* tropical море моря морск* океан* пляж* волна волны волн берег* побереж* парус* лодк* корабл* яхт* гаван* маяк* остров*",
  ],
  [
    "meadow",
    3,
    "meadow* field fields hill hills countryside grass grassland* prairie* farm* lavender vineyard* pasture* windmill* balloon* landscape* nature picnic rainbow* луг луга поле поля полей холм* трав* лаванд* виноградник* мельниц* пейзаж* природ* воздушн* шар шары радуг*",
  ],
  [
    "room",
    2.6,
    "room interior* window* windowsill* sill kitchen bedroom cozy cosy livingroom office desk chair sofa fireplace cafe library комнат* интерьер* окно окна окне подоконник* кухн* спальн* уютн* кабинет* стол кресл* диван* камин* кафе библиотек*",
  ],
  [
    "abstract",
    3,
    "abstract* geometr* bauhaus pattern* shapes shape minimalis* cubis* suprematis* kandinsky mondrian wallpaper texture* gradient* fractal* swirl* mandala* logo background poster абстракт* геометр* узор* фигур* супрематизм* кандинск* обои текстур* градиент* фрактал* мандал* логотип* фон постер*",
  ],
  ["space", 1.2, "star stars starry galaxy звезд* звезды"],
  [
    "meadow",
    1.2,
    "sun moon sky cloud clouds tree spring summer garden rain солнц* лун* неб* облак* дерев* сад сада дожд* весн* лето летом летн*",
  ],
  ["forest", 1.4, "autumn fall leaves осен* листь* листв*"],
  ["village", 1.4, "christmas winter snow snowy рождеств* новогод* зим* снег* снеж*"],
];

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
  ["red crimson scarlet ruby красн* алый алые багров* рыж*", "#c8322b", "fire"],
  ["orange ginger tangerine оранжев*", "#e8842c", "warm"],
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

/** Things that may stand in a picture, whatever it is of. */
export const THINGS = {
  boats: "sail sails sailing sailboat* boat boats ship ships yacht* regatta парус* лодк* корабл* яхт*",
  surf: "wave* surf* storm* rough tsunami волн* шторм* буря прибо*",
  lighthouse: "lighthouse* beacon маяк*",
  island: "island* остров* cliff* скал*",
  palms: "palm palms tropical beach* пальм* пляж* тропич*",
  birds: "bird birds gull* seagull* swallow* crane* птиц* чайк* журавл*",
  balloons: "balloon* шар шары воздушн*",
  aurora: "aurora northern borealis сияни*",
  moon: "moon* full-moon лун*",
  sun: "sun sunny sunset* sunrise солнц* закат*",
  stars: "star stars starry milky звезд*",
  clouds: "cloud* облак* туч*",
  lake: "lake* reflection* river* fjord* pond озер* отражен* река реки фьорд*",
  rainbow: "rainbow* радуг*",
  lavender: "lavender* лаванд*",
  rings: "ring rings ringed saturn* кольц* сатурн*",
  rocket: "rocket* spaceship* spacecraft* shuttle ракет* корабл*",
  camels: "camel* caravan* верблюд* караван*",
  cactus: "cactus cacti кактус*",
  tree: "tree oak willow дерев* дуб ива",
  windmill: "windmill* mill мельниц*",
  house: "house* cabin* cottage* hut castle дом дома домик* хижин* замок",
  car: "car cars automobile porsche ferrari mustang truck van машин* автомобил*",
  person:
    "person people walker walking man woman girl traveler traveller hiker lonely couple человек* путник* люд* девушк* пара",
  whale: "whale* кит киты китов",
  jellyfish: "jellyfish* медуз*",
  street: "street* alley* road crosswalk tokyo crowd улиц* переул*",
  bridge: "bridge* мост*",
  // Whom an animal picture shows, and who sits for a portrait.
  cat: "cat cats kitten* kitty кот кота коту котик* котен* кошк*",
  dog: "dog dogs puppy puppies wolf wolves собак* щенок щенк* пес волк*",
  fox: "fox foxes лис лиса лису лисы лисиц*",
  bird: "bird birds sparrow robin parrot* raven* crow crows eagle* птиц* воробей*",
  owl: "owl owls сова сову совы",
  rabbit: "rabbit* bunny hare кролик* заяц зайц*",
  robot: "robot* android* cyborg* droid робот* андроид* киборг*",
  astronaut: "astronaut* cosmonaut* spaceman spacesuit космонавт* астронавт*",
  beard:
    "beard* bearded sailor captain fisherman viking wizard grandpa grandfather santa бород* моряк* капитан* рыбак* викинг* старик* дедушк*",
  cap: "sailor captain fisherman beanie cap hat моряк* капитан* рыбак* шапк* кепк* шляп*",
  pointedHat: "wizard witch sorcerer* mage волшебник* ведьм* маг",
  crown: "king queen princess prince crown корол* принц* корон*",
  old: "old elderly aged grandma grandpa grandmother grandfather wise senior стар* пожил* бабушк* дедушк*",
  woman:
    "woman women girl* lady queen princess witch mother grandma grandmother bride actress her she женщин* девушк* девочк* королев* принцес* ведьм* бабушк*",
  glasses: "glasses spectacles sunglasses nerd professor очки очках",
  // What a still life is made of.
  tulips: "tulip* тюльпан*",
  daisies: "daisy daisies chamomile ромашк* sunflower* подсолнух*",
  roses: "rose roses peony peonies роза розы роз пион*",
  tea: "tea matcha чай чая",
  sideview: "product* packshot minimal* side studio товар* реклам* минимал*",
  topview: "top flatlay overhead latte art breakfast сверху завтрак*",
  bottle: "bottle* perfume* wine whisky serum духи духов парфюм* бутыл* флакон*",
  rectangles: "bauhaus mondrian cubis* suprematis* rectang* square* геометр* geometr*",
  swirls: "swirl* flow* fluid liquid wave* marble ink smoke волн* поток* дым* мрамор*",
  circles: "circle* dot dots bubble* sphere* orb orbs mandala* круг* шар* мандал* сфер*",
} as const;

export type Thing = keyof typeof THINGS;

/** Words for what falls from the sky or hangs in the air. */
export const WEATHERS: Words<"rain" | "snow" | "fog"> = {
  rain: "rain rainy raining rainfall raindrop* wet drizzle downpour storm* дожд* ливен* мокр*",
  snow: "snow* snowfall blizzard* christmas снег* снеж* метел* рождеств*",
  fog: "fog* mist misty haze hazy туман* дымк*",
};
