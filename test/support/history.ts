import { connect } from "../../src/db/connect.ts";
import type { TestApp } from "./app.ts";

/** Lets a model have made something `count` times, each done between these seconds after its submit. */
export const haveMade = async (
  { database }: TestApp,
  { model, tool, count, seconds }: { model: string; tool: string; count: number; seconds: [number, number] },
): Promise<void> => {
  const sql = connect(database, { max: 1, role: "admin" });
  const [from, to] = seconds;
  try {
    await sql`insert into facts (stream_id, seq, owner_id, owner_seq, id, type, at, actor_kind, actor_id, data)
      select gen_random_uuid(), 1, gen_random_uuid(), 1, gen_random_uuid(), 'job.rendered', now(), 'job',
        gen_random_uuid(), jsonb_build_object('model_key', ${model}::text, 'tool_type', ${tool}::text,
          'done_after_ms', 1000 * (${from}::float8 + (${to}::float8 - ${from}::float8) * n / ${count}::int) - 500,
          'done_by_ms', 1000 * (${from}::float8 + (${to}::float8 - ${from}::float8) * n / ${count}::int))
      from generate_series(1, ${count}::int) n`;
  } finally {
    await sql.end({ timeout: 5 });
  }
};
