import type { Sql } from "../../src/db/connect.ts";

/** Where in a group commit a trigger strikes: at its first writes (two of them), in its middle, or in COMMIT itself. */
const PLACES = {
  actors: "create trigger fault before insert or update on actors for each statement execute function fault()",
  facts: "create trigger fault before insert on facts for each statement execute function fault()",
  commit: `create constraint trigger fault after insert on commits deferrable initially deferred
    for each row execute function fault()`,
} as const;
export type Place = keyof typeof PLACES;

/** Lets every `nth` statement at a place do something, until the answer is called. */
export const plant = async (sql: Sql, place: Place, nth: number, what: string): Promise<() => Promise<void>> => {
  await sql.unsafe(`
    create sequence faults;
    create function fault() returns trigger language plpgsql as $$
    declare n bigint := nextval('faults');
    begin
      if n % ${nth} = 0 then ${what}; end if;
      return new;
    end $$;
    ${PLACES[place]};`);
  return async () => {
    await sql.unsafe("drop function fault() cascade; drop sequence faults");
  };
};

/** Raises errors as the server would, one after another. */
export const raise = (...sqlstates: string[]) =>
  `raise exception 'a fault' using errcode = (array['${sqlstates.join("', '")}'])[1 + n / 2 % ${sqlstates.length}]`;

/** The session ends itself, as if its connection had been cut. */
export const CUT = "perform pg_terminate_backend(pg_backend_pid())";
