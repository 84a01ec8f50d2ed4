-- Rows whose tombstone is old enough, and whose actors are finished or out of service for good: no letter for them is
-- under way and, where the bus is durable (`$2`), their last facts are published.

-- name: erasableChats
select c.id from chats c
where c.deleted_at < $1::timestamptz
  and not exists (
    select 1 from actors a
    where a.kind = 'job' and a.stream_id = c.id and a.finished_at is null and a.parked_at is null)
  and not exists (
    select 1 from jobs j join actors a on a.id = j.id join inbox i on i.target = j.id
    where j.chat_id = c.id and a.parked_at is null)
  and not ($2::boolean and exists (select 1 from streams s where s.id = c.id and s.published < s.seq))
order by c.deleted_at limit $3::integer;

-- name: erasableBatches
select b.id from batches b
where b.deleted_at < $1::timestamptz
  and not exists (
    select 1 from actors a
    where a.kind in ('job', 'batch') and a.stream_id = b.id and a.finished_at is null and a.parked_at is null)
  and not exists (
    select 1 from actors a join inbox i on i.target = a.id
    where (a.id = b.id or a.id in (select id from jobs where batch_id = b.id)) and a.parked_at is null)
  and not ($2::boolean and exists (select 1 from streams s where s.id = b.id and s.published < s.seq))
order by b.deleted_at limit $3::integer;

-- name: erasableJobs
-- Of a job in a stream that goes on only its own facts count.
select j.id from jobs j left join actors a on a.id = j.id
where j.deleted_at < $1::timestamptz
  and (a.id is null or a.finished_at is not null or a.parked_at is not null)
  and not exists (select 1 from inbox i where i.target = j.id and a.parked_at is null)
  and not ($2::boolean and exists (
    select 1 from streams s join facts f on f.stream_id = s.id and f.seq > s.published
    where s.id = a.stream_id and f.actor_id = j.id))
order by j.deleted_at limit $3::integer;

-- name: erasableAttachments
-- One whose fate is known only waits for the end of its upload URL; what came late is found by its age without it, too.
select t.id from attachments t left join actors a on a.id = t.id
where t.deleted_at < $1::timestamptz
  and (a.id is null or a.status in ('ready', 'rejected', 'expired') or a.finished_at is not null
    or a.parked_at is not null)
  and not exists (select 1 from inbox i where i.target = t.id and a.parked_at is null)
  and not ($2::boolean and exists (select 1 from streams s where s.id = t.id and s.published < s.seq))
order by t.deleted_at limit $3::integer;

-- name: jobsIn
-- A page of the jobs of a chat or a batch.
select id from jobs where chat_id = $1::uuid or batch_id = $1::uuid limit $2::integer;

-- name: eraseJobs
-- What they leave in a stream that goes on is that they were there; a key that started one stays used. `$2`: the
-- instant; `$3`: whether streams go on.
with page as materialized (
  select j.id, j.user_id, j.inputs from jobs j
  where j.id = any($1::uuid[])
    and not exists (select 1 from actors a where a.id = j.id and a.finished_at is null and a.parked_at is null)
  order by j.id for update skip locked
), those as materialized (
  select a.id, a.stream_id from actors a join page on page.id = a.id
), redacted as (
  update facts f set data = jsonb_build_object('job_id', f.actor_id), traceparent = null
  from those where $3::boolean and those.stream_id <> those.id and f.stream_id = those.stream_id and f.actor_id = those.id
), own_facts as (
  delete from facts f using page where f.stream_id = page.id
), own_streams as (
  delete from streams s using page where s.id = page.id
), withdrawn as (
  update idempotency i set answer = 'null' from page
  where i.user_id = page.user_id and i.answer->>'job_id' = page.id::text
), gone_outputs as (
  delete from outputs o using page where o.job_id = page.id returning o.raw_key, o.min_key, o.thumbnails
), lost as (
  select raw_key as key from gone_outputs
  union select min_key from gone_outputs
  union select t->>'key' from gone_outputs, jsonb_array_elements(thumbnails) t
  union select unnest(inputs) from page
), marked as (
  insert into condemned as c (key, at) select key, $2::timestamptz from lost where key is not null order by key
  on conflict (key) do update set at = excluded.at where not c.doomed
), gone_transitions as (
  delete from transitions t using page where t.actor_id = page.id
), gone_letters as (
  delete from inbox i using page where i.target = page.id
), gone_actors as (
  delete from actors a using page where a.id = page.id
), left_behind as (
  update jobs j set retry_of = null from page where j.retry_of = page.id and j.id not in (select id from page)
)
delete from jobs j using page where j.id = page.id returning j.id;

-- name: eraseOptions
delete from options where id in (
  select o.id from options o where o.chat_id = $1::uuid and not exists (select 1 from jobs j where j.option_id = o.id)
  limit $2::integer for update skip locked
) returning id;

-- name: eraseMessages
delete from messages where id in (
  select m.id from messages m where m.chat_id = $1::uuid and not exists (select 1 from options o where o.message_id = m.id)
  limit $2::integer for update skip locked
) returning id;

-- name: eraseFacts
delete from facts where (stream_id, seq) in (
  select stream_id, seq from facts where stream_id = $1::uuid order by seq limit $2::integer for update skip locked
) returning seq;

-- name: eraseChat
-- The last of it, when nothing else is left.
with page as materialized (
  select c.id from chats c
  where c.id = $1::uuid and c.deleted_at is not null
    and not exists (select 1 from jobs where chat_id = c.id)
    and not exists (select 1 from options where chat_id = c.id)
    and not exists (select 1 from messages where chat_id = c.id)
    and not exists (select 1 from facts where stream_id = c.id)
  for update skip locked
), gone_streams as (
  delete from streams s using page where s.id = page.id
)
delete from chats c using page where c.id = page.id returning c.id;

-- name: eraseBatch
with page as materialized (
  select b.id, b.user_id from batches b
  where b.id = $1::uuid and b.deleted_at is not null and not exists (select 1 from jobs where batch_id = b.id)
  for update skip locked
), gone_facts as (
  delete from facts f using page where f.stream_id = page.id
), gone_streams as (
  delete from streams s using page where s.id = page.id
), withdrawn as (
  update idempotency i set answer = 'null' from page
  where i.user_id = page.user_id and i.answer->>'job_id' = page.id::text
), gone_transitions as (
  delete from transitions t using page where t.actor_id = page.id
), gone_letters as (
  delete from inbox i using page where i.target = page.id
), gone_actors as (
  delete from actors a using page where a.id = page.id
)
delete from batches b using page where b.id = page.id returning b.id;

-- name: eraseAttachments
with page as materialized (
  select t.id, t.upload_key, a.snapshot #> '{context,object}' as object
  from attachments t left join actors a on a.id = t.id
  where t.id = any($1::uuid[]) order by t.id for update of t skip locked
), lost as (
  select upload_key as key from page
  union select jsonb_path_query(object, '$.**.key') #>> '{}' from page
), marked as (
  insert into condemned as c (key, at) select key, $2::timestamptz from lost where key is not null order by key
  on conflict (key) do update set at = excluded.at where not c.doomed
), gone_facts as (
  delete from facts f using page where f.stream_id = page.id
), gone_streams as (
  delete from streams s using page where s.id = page.id
), gone_transitions as (
  delete from transitions t using page where t.actor_id = page.id
), gone_letters as (
  delete from inbox i using page where i.target = page.id
), gone_actors as (
  delete from actors a using page where a.id = page.id
)
delete from attachments t using page where t.id = page.id returning t.id;

-- name: eraseUsers
-- Those who have nothing left. The bare row stays.
with page as materialized (
  select u.id from users u
  where u.deleted_at < $1::timestamptz and u.erased_at is null
    and not exists (select 1 from chats where user_id = u.id)
    and not exists (select 1 from batches where user_id = u.id)
    and not exists (select 1 from jobs where user_id = u.id)
    and not exists (select 1 from attachments where user_id = u.id)
    and not exists (select 1 from endpoints where user_id = u.id)
  order by u.id limit $3::integer for no key update skip locked
), gone_keys as (
  delete from idempotency i using page where i.user_id = page.id
), gone_turns as (
  delete from turns t using page where t.owner_id = page.id
), gone_tickets as (
  delete from tickets t using page where t.user_id = page.id
)
update users u set erased_at = $2::timestamptz from page where u.id = page.id returning u.id;

-- name: eraseLetters
-- Nobody is there to read them: they came when their reader was gone.
delete from inbox where (target, source, source_version, n) in (
  select i.target, i.source, i.source_version, i.n from inbox i
  where i.created_at < $1::timestamptz and not exists (select 1 from actors a where a.id = i.target)
  limit 1000 for update skip locked
);
