import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { nkeys } from "nats";

type KeyPair = { getPublicKey(): string; getSeed(): Uint8Array; sign(data: Uint8Array): Uint8Array };

const seedOf = (pair: KeyPair) => new TextDecoder().decode(pair.getSeed());

/** A token as NATS signs it: what `nsc` writes. */
const sign = (issuer: KeyPair, subject: string, name: string, nats: Record<string, unknown>): string => {
  const text = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = { iat: 1_700_000_000, iss: issuer.getPublicKey(), name, sub: subject, nats: { version: 2, ...nats } };
  const jti = createHash("sha256").update(JSON.stringify(claims)).digest("hex");
  const body = `${text({ typ: "JWT", alg: "ed25519-nkey" })}.${text({ ...claims, jti })}`;
  return `${body}.${Buffer.from(issuer.sign(new TextEncoder().encode(body))).toString("base64url")}`;
};

/** A seed and the public key that a server knows it by. */
export const createNkey = (): { seed: string; key: string } => {
  const pair: KeyPair = nkeys.createUser();
  return { seed: seedOf(pair), key: pair.getPublicKey() };
};

/** An operator with one account that has JetStream: the server's configuration, and users' credentials files. */
export const createOperator = () => {
  const operator: KeyPair = nkeys.createOperator();
  const account: KeyPair = nkeys.createAccount();
  const system: KeyPair = nkeys.createAccount();
  const key = account.getPublicKey();
  const systemKey = system.getPublicKey();
  const unlimited = { subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
  const limits = { ...unlimited, mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };
  const operatorToken = sign(operator, operator.getPublicKey(), "operator", { type: "operator" });
  const accountToken = sign(operator, key, "darkroom", { type: "account", limits });
  // JetStream lives in a system account.
  const systemToken = sign(operator, systemKey, "system", { type: "account", limits: unlimited });
  return {
    config: [
      `operator: ${operatorToken}`,
      `system_account: ${systemKey}`,
      "resolver: MEMORY",
      `resolver_preload: { ${key}: ${accountToken}, ${systemKey}: ${systemToken} }`,
    ].join("\n"),
    /** The text of a credentials file of a new user. */
    credentials: (): string => {
      const user: KeyPair = nkeys.createUser();
      const token = sign(account, user.getPublicKey(), "user", { type: "user", subs: -1, data: -1, payload: -1 });
      return [
        "-----BEGIN NATS USER JWT-----",
        token,
        "------END NATS USER JWT------",
        "",
        "-----BEGIN USER NKEY SEED-----",
        seedOf(user),
        "------END USER NKEY SEED------",
        "",
      ].join("\n");
    },
  };
};
