import { DEMO_PASSWORD, DEMO_USER } from "../auth/demo.ts";
import type { Config } from "../config.ts";

/** What a newcomer sees when Darkroom is ready: where it is, how to log in, three lines to try. */
export const greeting = ({ PUBLIC_URL, DEMO }: Config): string => {
  const json = "-H 'content-type: application/json'";
  const head = ["", "Darkroom is ready.", "", `  address     ${PUBLIC_URL}`, `  docs        ${PUBLIC_URL}/docs`];
  const credentials = JSON.stringify({ email: DEMO_USER.email, password: DEMO_PASSWORD });
  const demo = [
    `  demo login  ${DEMO_USER.email} / ${DEMO_PASSWORD}`,
    "",
    "Try it:",
    "",
    `  curl -s ${PUBLIC_URL}/chats ${json} -d '{"title":"My first chat"}'`,
    `  TOKEN=$(curl -s ${PUBLIC_URL}/api/auth/login ${json} -d '${credentials}' | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')`,
    `  curl -s ${PUBLIC_URL}/api/generate ${json} -H "authorization: Bearer $TOKEN" -d '{"prompt":"a lighthouse at dusk","num_images":5}'`,
  ];
  return [...head, ...(DEMO ? demo : []), "", ""].join("\n");
};
