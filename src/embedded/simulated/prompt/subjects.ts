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

/** Subjects (words as in `light.ts`), with how strongly their words claim the picture. */
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
