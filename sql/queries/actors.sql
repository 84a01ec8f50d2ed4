-- name: commitUnits
select commit_units($1::uuid, $2::jsonb) as answer;

-- name: databaseNow
select (extract(epoch from clock_timestamp()) * 1000)::float8 as now;

-- name: loadActor
select id, kind, machine_version, state, snapshot, version, owner_id, stream_id, account, wake_at, parked_reason,
  finished_at, status
from actors where id = $1::uuid;

-- name: loadInbox
select source, source_version, n, event from inbox
where target = $1::uuid order by created_at, source, source_version, n limit 1000;

-- name: claimOverdue
-- For several nodes: pushes wake_at ahead so that only one of them takes an actor. `$2` skips our own
-- soft states, `$5` (kind → version) what only a newer node understands.
with due as (
  select id from actors
  where wake_at < $1::timestamptz and not (id = any($2::uuid[]))
    and machine_version <= (($5::jsonb)->>kind)::integer
  order by wake_at limit $3::integer
  for update skip locked
)
update actors a set wake_at = $4::timestamptz from due where a.id = due.id returning a.id;

-- name: dueSoon
-- For a node alone: what to arm in memory. Nobody else competes, so nothing is claimed.
select id, wake_at from actors
where wake_at < $1::timestamptz order by wake_at limit $2::integer;

-- name: interrupted
-- At the boot of a node alone: who waits for an effect that died with the node before. A page, by id.
select id from actors
where wake_at < $1::timestamptz and id > $2::uuid and snapshot->>'timers' like '%Watchdog.%'
order by id limit $3::integer;

-- name: dropLetters
delete from inbox i using unnest($2::uuid[], $3::bigint[], $4::integer[]) x(source, source_version, n)
where i.target = $1::uuid and i.source = x.source and i.source_version = x.source_version and i.n = x.n;

-- name: overdueInbox
select distinct target from inbox where created_at < $1::timestamptz limit $2::integer;

-- name: fixWakeAt
update actors set wake_at = $2::timestamptz where id = $1::uuid and version = $3::bigint;

-- name: ensureAccount
insert into accounts (id, slots) values ($1::text, $2::integer)
on conflict (id) do update set slots = excluded.slots;

-- name: freeAccounts
select a.id, a.slots - a.in_use as free from accounts a
where a.in_use < a.slots
  and exists (select 1 from turns t where t.account = a.id and t.waiting > 0);

-- name: nextTurns
-- The owners whose turn it is, lowest virtual time first, each with its oldest queued jobs. An owner's
-- k-th job counts as k starts later, which interleaves the owners fairly within one admission.
select j.id from (
  select t.account, t.owner_id, t.virtual_time from turns t
  where t.account = $1::text and t.waiting > 0
  order by t.virtual_time, t.owner_id limit $2::integer
) t
cross join lateral (
  select a.id, row_number() over (order by a.id) as place from (
    select id from actors
    where account = t.account and owner_id = t.owner_id and state = 'queued' and parked_at is null
    order by id limit $2::integer
  ) a
) j
order by t.virtual_time + j.place, t.owner_id limit $2::integer;

-- name: countParked
select count(*)::integer as parked from actors where parked_at is not null;

-- name: countLiveJobs
select count(*)::integer as live from actors where kind = 'job' and finished_at is null;

-- name: sweepIdempotency
delete from idempotency where (user_id, route, key) in (
  select user_id, route, key from idempotency where created_at < $1::timestamptz limit 1000
);

-- name: sweepCommits
delete from commits where id in (select id from commits where at < $1::timestamptz limit 5000);

-- name: ensurePartitions
select ensure_partitions(3);
