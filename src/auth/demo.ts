import type { NewUser } from "../http/principal.ts";

export const DEMO_USER_ID = "00000000-0000-0000-0000-000000000001";
export const DEMO_PASSWORD = "password123";

/**
 * The user of demo mode, by the seeds' contract. The hash is that of a public password, so it may be a
 * constant of low cost: nobody waits for scrypt at the first request.
 */
export const DEMO_USER = {
  id: DEMO_USER_ID,
  email: "test@example.com",
  passwordHash: "$scrypt$ln=14,r=8,p=1$nf2v0QOAtm12f8pY0dPrjw$vsFwXEin8HSJIV1GM3/b2UCcAe/aiB7/ylthXNZ1ZCk",
  role: "user",
} as const satisfies NewUser;
