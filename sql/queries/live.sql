-- name: keepTicket
insert into tickets (hash, user_id, streams, created_at, use_by, expires_at)
select $1::text, u.id, $3::text[], $4::timestamptz, $5::timestamptz, $6::timestamptz from users u
where u.id = $2::uuid and u.deleted_at is null
returning hash;

-- name: redeemTicket
-- `$2`: the instant.
update tickets t set used_at = coalesce(t.used_at, $2::timestamptz) from users u
where t.hash = $1::text and t.expires_at > $2::timestamptz and (t.used_at is not null or t.use_by > $2::timestamptz)
  and u.id = t.user_id and u.deleted_at is null
returning t.user_id, t.streams, t.expires_at;

-- name: sweepTickets
delete from tickets where hash in (
  (select hash from tickets where expires_at < $1::timestamptz limit 5000)
  union
  (select hash from tickets where use_by < $1::timestamptz and used_at is null limit 5000)
);

-- name: overviewOf
-- The newest `$2` of each kind, and the place in all that the user owns: one statement, so that they belong together.
select u.owner_seq as cursor, c.chats, j.jobs, b.batches from users u
cross join lateral (
  select coalesce(jsonb_agg(to_jsonb(x) || jsonb_build_object(
    'created_at', (extract(epoch from x.created_at) * 1000)::float8,
    'last_message_at', (extract(epoch from x.last_message_at) * 1000)::float8)
    order by x.created_at desc, x.id desc), '[]') as chats
  from (
    select * from chats where user_id = u.id and deleted_at is null order by created_at desc, id desc limit $2::integer
  ) x
) c
cross join lateral (
  select coalesce(jsonb_agg(to_jsonb(x) || jsonb_build_object('version', a.version, 'state', a.state,
    'snapshot', a.snapshot, 'stream_id', a.stream_id, 'paused_reason', p.paused_reason,
    'created_at', (extract(epoch from x.created_at) * 1000)::float8,
    'paused_until', (extract(epoch from p.paused_until) * 1000)::float8)
    order by x.created_at desc, x.id desc), '[]') as jobs
  from (
    select * from jobs where user_id = u.id and deleted_at is null
      and not exists (select 1 from chats where id = chat_id and deleted_at is not null)
      and not exists (select 1 from batches where id = batch_id and deleted_at is not null)
    order by created_at desc, id desc limit $2::integer
  ) x
  join actors a on a.id = x.id left join accounts p on p.id = a.account
) j
cross join lateral (
  select coalesce(jsonb_agg(to_jsonb(x) || jsonb_build_object('version', a.version, 'state', a.state,
    'snapshot', a.snapshot, 'created_at', (extract(epoch from x.created_at) * 1000)::float8)
    order by x.created_at desc, x.id desc), '[]') as batches
  from (
    select * from batches where user_id = u.id and deleted_at is null order by created_at desc, id desc limit $2::integer
  ) x
  join actors a on a.id = x.id
) b
where u.id = $1::uuid and u.deleted_at is null;
