import { readFile } from "node:fs/promises";
import { parse } from "yaml";

type Condition = "service_healthy" | "service_completed_successfully";

/** What is looked at here of a service. */
export type Service = {
  image?: string;
  build?: string;
  command?: string[];
  user?: string;
  restart?: string;
  read_only?: boolean;
  environment?: Record<string, string>;
  depends_on?: Record<string, { condition: Condition }>;
  healthcheck?: { test?: string[]; disable?: boolean };
  ports?: string[];
  volumes?: string[];
  networks?: string[];
  network_mode?: string;
  configs?: { source: string; target: string }[];
  cap_drop?: string[];
  security_opt?: string[];
  logging?: { options?: Record<string, string> };
  deploy?: { resources?: { limits?: { cpus?: string; memory?: string; pids?: number } } };
  stop_grace_period?: string;
};

export type Compose = {
  services: Record<string, Service>;
  networks: Record<string, { internal?: boolean } | null>;
  volumes: Record<string, null>;
  configs: Record<string, { content: string }>;
};

type Environment = Record<string, string | undefined>;

const FILE = new URL("../../docker-compose.yml", import.meta.url);
/** `$$`, `${NAME:-default}`, `${NAME-default}`; any other dollar is taken, too, to be refused. */
const VARIABLE = /\$(?:(\$)|\{(\w+)(:?-)([^}]*)\})?/g;

const interpolate = (text: string, env: Environment): string =>
  text.replace(VARIABLE, (whole, dollar, name, operator, fallback) => {
    if (dollar) return dollar;
    if (!name) throw new Error(`${whole} in ${text}`);
    return (operator === ":-" ? env[name] || undefined : env[name]) ?? fallback;
  });

const walk = (value: unknown, env: Environment): unknown => {
  if (typeof value === "string") return interpolate(value, env);
  if (Array.isArray(value)) return value.map((item) => walk(item, env));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, walk(inner, env)]));
};

/** docker-compose.yml as Compose takes it with this environment: merges done, variables filled in. */
export const readCompose = async (env: Environment = {}): Promise<Compose> =>
  walk(parse(await readFile(FILE, "utf8"), { merge: true }), env) as Compose;

/** The one service of that name. */
export const serviceOf = ({ services }: Compose, name: string): Service => {
  const service = services[name];
  if (!service) throw new Error(`there is no service ${name}`);
  return service;
};

/** The text of an inline configuration. */
export const configOf = ({ configs }: Compose, name: string): string => {
  const config = configs[name];
  if (!config) throw new Error(`there is no configuration ${name}`);
  return config.content;
};
