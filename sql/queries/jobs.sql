-- name: jobById
-- One statement, so that the cursor belongs to the snapshot.
select j.*, a.version, a.state, a.snapshot, coalesce(s.seq, 0) as cursor, a.stream_id, c.paused_reason, c.paused_until,
  case when a.state = 'queued' then queue_position(a.account, a.owner_id, a.id) end as queue_position
from jobs j join actors a on a.id = j.id left join streams s on s.id = a.stream_id left join accounts c on c.id = a.account
where j.id = $1::uuid and j.user_id = $2::uuid and j.deleted_at is null
  and not exists (select 1 from chats where id = j.chat_id and deleted_at is not null)
  and not exists (select 1 from batches where id = j.batch_id and deleted_at is not null);

-- name: jobsOfUser
select j.*, a.version, a.state, a.snapshot, coalesce(s.seq, 0) as cursor, a.stream_id, c.paused_reason, c.paused_until
from jobs j join actors a on a.id = j.id left join streams s on s.id = a.stream_id left join accounts c on c.id = a.account
where j.user_id = $1::uuid and j.deleted_at is null
  and ($2::timestamptz is null or (j.created_at, j.id) < ($2::timestamptz, $3::uuid))
  and ($4::text is null or a.status = $4::text)
  and ($5::uuid is null or j.chat_id = $5::uuid)
  and ($6::uuid is null or j.batch_id = $6::uuid)
  and ($7::text is null or j.tool_type = $7::text)
  and not exists (select 1 from chats where id = j.chat_id and deleted_at is not null)
  and not exists (select 1 from batches where id = j.batch_id and deleted_at is not null)
order by j.created_at desc, j.id desc limit $8::integer;

-- name: jobForEffect
select id, user_id, tool_type, model_key, provider, prompt, params, inputs, alternatives from jobs where id = $1::uuid;

-- name: liveJobsIn
-- Of a chat or a batch.
select a.id from jobs j join actors a on a.id = j.id
where (j.chat_id = $1::uuid or j.batch_id = $1::uuid) and a.finished_at is null;

-- name: jobWithdrawn
-- Whether nothing is to be seen of a job any more. A deleted chat or batch tells so itself.
select not exists (select 1 from jobs where id = $1::uuid and deleted_at is null) as withdrawn;

-- name: hasFactAfter
-- Whether anything of an actor follows a cursor of its stream.
select exists (
  select 1 from facts where stream_id = $1::uuid and seq > $2::bigint and actor_id = $3::uuid
) as more;

-- name: standings
-- The live jobs of streams, and where each stands. One statement: `cursor` is as old as the rest.
select a.id, a.stream_id, a.snapshot, j.model_key, j.tool_type, coalesce(s.seq, 0) as cursor,
  case when a.state = 'queued' then queue_position(a.account, a.owner_id, a.id) end as queue_position
from actors a join jobs j on j.id = a.id left join streams s on s.id = a.stream_id
where a.kind = 'job' and a.finished_at is null and a.stream_id = any($1::uuid[]) and j.deleted_at is null
limit $2::integer;

-- name: completions
-- What the latest generations of a model took, as their polls bracketed it; ms since the submit.
select (data->>'done_after_ms')::float8 as after, (data->>'done_by_ms')::float8 as by from facts
where type = 'job.rendered' and data->>'model_key' = $1::text and data->>'tool_type' = $2::text
  and data ? 'done_by_ms'
order by at desc limit $3::integer;

-- name: transitionsOf
select version, at, event, from_state, to_state, effects, folded, reason from transitions
where actor_id = $1::uuid order by version limit 1000;

-- name: batchById
-- One statement, so that the cursor belongs to what is shown.
select b.*, a.version, a.state, a.snapshot, coalesce(s.seq, 0) as cursor, items.jobs
from batches b join actors a on a.id = b.id left join streams s on s.id = b.id
cross join lateral (
  select coalesce(jsonb_agg(to_jsonb(j) || jsonb_build_object('version', ja.version, 'state', ja.state, 'snapshot', ja.snapshot,
    'paused_reason', c.paused_reason, 'paused_until', extract(epoch from c.paused_until) * 1000)
    order by j.batch_index), '[]') as jobs
  from jobs j join actors ja on ja.id = j.id left join accounts c on c.id = ja.account
  where j.batch_id = b.id and j.deleted_at is null
) items
where b.id = $1::uuid and b.user_id = $2::uuid and b.deleted_at is null;

-- name: batchesOfUser
select b.*, a.version, a.state, a.snapshot, coalesce(s.seq, 0) as cursor
from batches b join actors a on a.id = b.id left join streams s on s.id = b.id
where b.user_id = $1::uuid and b.deleted_at is null
  and ($2::timestamptz is null or (b.created_at, b.id) < ($2::timestamptz, $3::uuid))
order by b.created_at desc, b.id desc limit $4::integer;

-- name: replayOf
-- `withdrawn`: the job or batch that was answered with is deleted.
select i.body_hash, i.status, i.answer,
  i.answer = 'null' or (i.answer ? 'job_id' and not exists (
    select 1 from jobs j
    where j.id = (i.answer->>'job_id')::uuid and j.deleted_at is null
      and not exists (select 1 from chats where id = j.chat_id and deleted_at is not null)
    union all
    select 1 from batches b where b.id = (i.answer->>'job_id')::uuid and b.deleted_at is null)) as withdrawn
from idempotency i where i.user_id = $1::uuid and i.route = $2::text and i.key = $3::text;
