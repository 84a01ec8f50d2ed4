-- What is past its time: the operator's, `$2` days (0: never), or the owner's own.

-- name: expiredChats
(select c.id, c.user_id from chats c
 where $2::integer > 0 and c.deleted_at is null and c.created_at < $1::timestamptz - make_interval(days => $2::integer)
   and coalesce(c.last_message_at, c.created_at) < $1::timestamptz - make_interval(days => $2::integer)
 limit $3::integer)
union
(select c.id, c.user_id from users u join chats c on c.user_id = u.id
 where u.retention <> '{}' and c.deleted_at is null
   and coalesce(c.last_message_at, c.created_at)
     < $1::timestamptz - make_interval(days => (u.retention->>'chats')::integer)
 limit $3::integer);

-- name: expiredJobs
-- A job of a batch goes with its batch.
(select j.id, j.user_id from actors a join jobs j on j.id = a.id
 where $2::integer > 0 and a.kind = 'job' and j.batch_id is null and j.deleted_at is null
   and a.finished_at < $1::timestamptz - make_interval(days => $2::integer)
   and not exists (select 1 from chats c where c.id = j.chat_id and c.deleted_at is not null)
 limit $3::integer)
union
(select j.id, j.user_id from users u join jobs j on j.user_id = u.id join actors a on a.id = j.id
 where u.retention <> '{}' and j.batch_id is null and j.deleted_at is null
   and a.finished_at < $1::timestamptz - make_interval(days => (u.retention->>'jobs')::integer)
   and not exists (select 1 from chats c where c.id = j.chat_id and c.deleted_at is not null)
 limit $3::integer);

-- name: expiredBatches
(select b.id, b.user_id from actors a join batches b on b.id = a.id
 where $2::integer > 0 and a.kind = 'batch' and b.deleted_at is null
   and a.finished_at < $1::timestamptz - make_interval(days => $2::integer)
 limit $3::integer)
union
(select b.id, b.user_id from users u join batches b on b.user_id = u.id join actors a on a.id = b.id
 where u.retention <> '{}' and b.deleted_at is null
   and a.finished_at < $1::timestamptz - make_interval(days => (u.retention->>'jobs')::integer)
 limit $3::integer);

-- name: expiredAttachments
-- Not those that an option of a live chat would be made with, or a live job is being made with.
select t.id, t.user_id from (
  (select t.id, t.user_id from attachments t
   where $2::integer > 0 and t.deleted_at is null
     and t.created_at < $1::timestamptz - make_interval(days => $2::integer))
  union
  (select t.id, t.user_id from users u join attachments t on t.user_id = u.id
   where u.retention <> '{}' and t.deleted_at is null
     and t.created_at < $1::timestamptz - make_interval(days => (u.retention->>'attachments')::integer))
) t
join actors a on a.id = t.id
where (a.finished_at is not null or a.parked_at is not null or a.status in ('ready', 'rejected', 'expired'))
  and not exists (
    select 1 from options o join chats c on c.id = o.chat_id
    where o.attachments <> '{}' and o.attachments @> array[t.id] and c.deleted_at is null)
  and not exists (
    select 1 from jobs j join actors ja on ja.id = j.id
    where j.inputs <> '{}' and j.inputs @> array[a.snapshot #>> '{context,object,key}'] and ja.finished_at is null)
limit $3::integer;

-- name: possessions
-- What deleted users still have, by kind.
select p.kind, p.id, p.user_id from users u
cross join lateral (
  (select 'chat' as kind, id, user_id from chats where user_id = u.id and deleted_at is null limit $1::integer)
  union all
  (select 'batch', id, user_id from batches where user_id = u.id and deleted_at is null limit $1::integer)
  union all
  (select 'job', id, user_id from jobs
   where user_id = u.id and deleted_at is null and chat_id is null and batch_id is null limit $1::integer)
  union all
  (select 'attachment', id, user_id from attachments where user_id = u.id and deleted_at is null limit $1::integer)
  union all
  (select 'endpoint', id, user_id from endpoints where user_id = u.id and deleted_at is null limit $1::integer)
) p
where u.deleted_at is not null and u.erased_at is null
limit $1::integer;
