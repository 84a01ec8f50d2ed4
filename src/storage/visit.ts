import http from "node:http";
import https from "node:https";
import { within } from "./s3-failure.ts";

/** More than any error document of S3, and than what is put there to be looked at. */
const MAX_CHARS = 64 * 1024;

export type Visit = { status: number; headers: http.IncomingHttpHeaders; text: string };

/** One request as a browser sends it: no credentials but those in the URL. Redirects are not followed. */
export const visit = async (
  url: string,
  options: { method?: string; headers?: Record<string, string>; body?: string; limitMs: number },
): Promise<Visit> => {
  const { method = "GET", headers = {}, body = "", limitMs } = options;
  const length: Record<string, string> = method === "PUT" ? { "content-length": String(body.length) } : {};
  const { request } = url.startsWith("https:") ? https : http;
  const sent = request(url, { method, headers: { ...headers, ...length }, agent: false });
  const answered = new Promise<Visit>((resolve, reject) => {
    sent.on("error", reject);
    sent.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text = (text + chunk).slice(0, MAX_CHARS);
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      response.on("error", reject);
    });
  });
  sent.end(body);
  try {
    return await within(limitMs, answered);
  } finally {
    sent.destroy();
  }
};

/** Of an S3 error document; empty when it is none, or has no such element. */
export const elementIn = (text: string, name: "Code" | "Message" | "Region"): string =>
  new RegExp(`<Error>[\\s\\S]*?<${name}>([^<]+)</${name}>`).exec(text)?.[1] ?? "";
