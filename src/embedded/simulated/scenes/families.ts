import type { Scene } from "../drawing/stage.ts";
import type { Family } from "../prompt/subjects.ts";
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
export const SCENES: Readonly<Record<Family, Scene>> = {
  sea,
  mountains,
  forest,
  city,
  village,
  desert,
  meadow,
  road,
  space,
  underwater,
  portrait,
  animal,
  flowers,
  cup,
  product,
  room,
  abstract,
};
