import type { Scene } from "../drawing/stage.ts";
import type { Family } from "../prompt/words.ts";
import { abstract } from "./abstract.ts";
import { animal } from "./animal.ts";
import { city } from "./city.ts";
import { cup } from "./cup.ts";
import { desert } from "./desert.ts";
import { flowers } from "./flowers.ts";
import { forest } from "./forest.ts";
import { meadow } from "./meadow.ts";
import { mountains } from "./mountains.ts";
import { portrait } from "./portrait.ts";
import { product } from "./product.ts";
import { road } from "./road.ts";
import { room } from "./room.ts";
import { sea } from "./sea.ts";
import { space } from "./space.ts";
import { underwater } from "./underwater.ts";
import { village } from "./village.ts";

/** Who draws what. */
export const SCENES: Record<Family, Scene> = {} as Record<Family, Scene>;
for (const f of [
  "sea",
  "mountains",
  "forest",
  "city",
  "village",
  "desert",
  "meadow",
  "road",
  "space",
  "underwater",
  "portrait",
  "animal",
  "flowers",
  "cup",
  "product",
  "room",
  "abstract",
] as Family[])
  SCENES[f] = mountains;
SCENES.sea = sea;
SCENES.city = city;
SCENES.forest = forest;
SCENES.village = village;
SCENES.desert = desert;
SCENES.space = space;
SCENES.meadow = meadow;
SCENES.underwater = underwater;
SCENES.road = road;
SCENES.room = room;
SCENES.animal = animal;
SCENES.flowers = flowers;
SCENES.cup = cup;
SCENES.product = product;
SCENES.portrait = portrait;
SCENES.abstract = abstract;
