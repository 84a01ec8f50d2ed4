/** The embedded S3 in a process of its own, so that what it holds in memory is not the ingest's. Prints where it is. */
import process from "node:process";
import { startEmbedded } from "../storage/targets.ts";
import { untilAlone } from "./neighbour.ts";

const { endpoint, bucket, keys, close } = await startEmbedded({ maxObjectBytes: 2_000_000_000 });
untilAlone(close);
process.stdout.write(`${JSON.stringify({ endpoint, bucket, keys })}\n`);
