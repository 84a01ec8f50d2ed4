-- name: commitUnits
-- `$3`: how long it waits for a lock at most, ms.
with patience as materialized (select set_config('lock_timeout', $3::text, true))
select commit_units($1::uuid, $2::jsonb) as answer from patience;

-- name: lockedRows
-- Of these rows, by id, those that somebody has locked at the moment. Waits for none of them.
with
  free_chats as materialized (select id from chats where id = any($1::uuid[]) for no key update skip locked),
  free_actors as materialized (select id from actors where id = any($2::uuid[]) for no key update skip locked),
  free_accounts as materialized (select id from accounts where id = any($3::text[]) for no key update skip locked),
  free_streams as materialized (select id from streams where id = any($4::uuid[]) for no key update skip locked),
  free_users as materialized (select id from users where id = any($5::uuid[]) for no key update skip locked)
select 'chats' as table, id::text from chats where id = any($1) and id not in (select id from free_chats)
union all
select 'actors', id::text from actors where id = any($2) and id not in (select id from free_actors)
union all
select 'accounts', id from accounts where id = any($3) and id not in (select id from free_accounts)
union all
select 'streams', id::text from streams where id = any($4) and id not in (select id from free_streams)
union all
select 'users', id::text from users where id = any($5) and id not in (select id from free_users);

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
-- soft states, `$5` (kind → version) what only a newer node understands. Answers as loadActor, so that
-- whoever takes over thousands need not ask for each of them.
with due as (
  select id from actors
  where wake_at < $1::timestamptz and not (id = any($2::uuid[]))
    and machine_version <= (($5::jsonb)->>kind)::integer
  order by wake_at limit $3::integer
  for update skip locked
)
update actors a set wake_at = $4::timestamptz from due where a.id = due.id
returning a.id, a.kind, a.machine_version, a.state, a.snapshot, a.version, a.owner_id, a.stream_id, a.account, a.wake_at,
  a.parked_reason, a.finished_at, a.status;

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
-- Nobody reads what is for a parked actor.
select distinct i.target from inbox i
where i.created_at < $1::timestamptz and exists (select 1 from actors a where a.id = i.target and a.parked_at is null)
limit $2::integer;

-- name: fixWakeAt
update actors set wake_at = $2::timestamptz where id = $1::uuid and version = $3::bigint;

-- name: ensureAccount
-- `$3` and `$4`: submits and status calls a minute, null where no limit is known.
insert into accounts (id, slots, submits_per_minute, checks_per_minute)
values ($1::text, $2::integer, $3::float8, $4::float8)
on conflict (id) do update set slots = excluded.slots, submits_per_minute = excluded.submits_per_minute,
  checks_per_minute = excluded.checks_per_minute;

-- name: freeAccounts
-- Where jobs wait and a slot is free: how many may start now; if none, how long the rate or a pause forbids it.
select a.id, least(a.slots - a.in_use, account_grant(a, now.at)) as free,
  (extract(epoch from account_opens(a, now.at) - now.at) * 1000)::float8 as opens_in_ms
from accounts a cross join (select clock_timestamp() as at) now
where a.in_use < a.slots
  and exists (select 1 from turns t where t.account = a.id and t.waiting > 0);

-- name: stalledJobs
-- Queued jobs that may move, on accounts that have been paused for `$1` ms or will have been, where an account that
-- they may move to is open; with all that are. Account by account, so that the index of those who may move is walked, not the table.
select m.id, c.paused_reason as code, o.open
from (select array_agg(id) as open from accounts where paused_reason is null) o
cross join accounts c
cross join lateral (
  select a.id from actors a
  where a.account = c.id and a.state = 'queued' and a.parked_at is null
    and a.snapshot->'context'->'alternatives' <> '[]'
    and exists (
      select 1 from unnest(o.open) open(id)
      where a.snapshot->'context'->'alternatives' @> jsonb_build_array(jsonb_build_object('account', open.id)))
  order by a.id limit $2::integer
) m
where c.paused_at < clock_timestamp() - make_interval(secs => $1::float8 / 1000)
  -- While a probe is under way, `paused_until` only says when the next one may be.
  or (c.probe is null and c.paused_until - c.paused_at >= make_interval(secs => $1::float8 / 1000));

-- name: leaseChecks
select granted, wait_ms from lease_checks($1::text, $2::integer);

-- name: holdChecks
update accounts set check_tokens = 0,
  checks_at = greatest(checks_at, clock_timestamp() + make_interval(secs => $2::float8 / 1000))
where id = $1::text;

-- name: pauseAccount
-- For what no single job has learned: an open breaker. What a job learns is paused in its commit. A probe that is
-- under way is not waited for: most likely it is the failure that opened the breaker.
update accounts set paused_reason = (w.b).paused_reason, paused_at = (w.b).paused_at,
  paused_until = (w.b).paused_until, strikes = (w.b).strikes, probe = (w.b).probe
from (
  select a.id, pause_account(a, $2::text, $3::float8, $3::float8, null, a.probe is not null, clock_timestamp()) b
  from accounts a where a.id = $1::text for no key update
) w where accounts.id = w.id;

-- name: providerAccounts
-- What an operator sees of each account.
select a.id, a.slots, a.in_use, coalesce(t.waiting, 0)::integer as waiting, a.paused_reason, a.paused_at, a.paused_until,
  a.strikes, a.probe is not null as probing, a.submits_per_minute, a.checks_per_minute,
  floor(bucket_tokens(a.submits_per_minute, a.submit_tokens, a.submits_at, clock_timestamp()))::integer as submit_tokens
from accounts a
left join (select account, sum(waiting) as waiting from turns group by account) t on t.account = a.id
order by a.id;

-- name: pausedAccounts
select paused_reason as reason, count(*)::integer as accounts from accounts
where paused_reason is not null group by paused_reason;

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
