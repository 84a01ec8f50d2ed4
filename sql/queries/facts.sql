-- name: readFacts
select stream_id, seq, owner_id, owner_seq, id, type, at, actor_kind, actor_id, data, traceparent
from facts where stream_id = $1::uuid and seq > $2::bigint order by seq limit $3::integer;

-- name: streamHeads
select id, seq from streams where id = any($1::uuid[]);

-- name: readOwnerFacts
select stream_id, seq, owner_id, owner_seq, id, type, at, actor_kind, actor_id, data, traceparent
from facts where owner_id = $1::uuid and owner_seq > $2::bigint order by owner_seq limit $3::integer;

-- name: ownerHeads
select id, owner_seq as seq from users where id = any($1::uuid[]) and deleted_at is null;

-- name: unpublishedStreams
select s.id from streams s
where s.published < s.seq
  and not exists (select 1 from relay_claims c where c.stream_id = s.id and c.expires_at > $1::timestamptz)
limit $2::integer;

-- name: claimStreams
insert into relay_claims (stream_id, node, expires_at)
select id, $2::uuid, $3::timestamptz from unnest($1::uuid[]) id
order by id
on conflict (stream_id) do update set node = excluded.node, expires_at = excluded.expires_at
  where relay_claims.expires_at <= $4::timestamptz or relay_claims.node = excluded.node
returning stream_id;

-- name: unpublishedFacts
select f.stream_id, f.seq, f.owner_id, f.owner_seq, f.id, f.type, f.at, f.actor_kind, f.actor_id, f.data, f.traceparent
from unnest($1::uuid[]) s(id)
join streams on streams.id = s.id
cross join lateral (
  select * from facts where stream_id = streams.id and seq > streams.published order by seq limit $2::integer
) f;

-- name: movePublished
-- Locked in the order of the ids, as group commits do.
with moved as materialized (
  select s.id, x.seq from streams s join unnest($1::uuid[], $2::bigint[]) x(id, seq) on x.id = s.id
  order by s.id for no key update of s
)
update streams s set published = greatest(s.published, m.seq) from moved m where s.id = m.id;

-- name: moveUnlocked
-- The same, but for the streams that somebody has locked.
with moved as materialized (
  select s.id, x.seq from streams s join unnest($1::uuid[], $2::bigint[]) x(id, seq) on x.id = s.id
  order by s.id for no key update of s skip locked
)
update streams s set published = greatest(s.published, m.seq) from moved m where s.id = m.id;

-- name: countClaims
-- Of the claims that hold now, those that lapse by then.
select count(*)::integer as claims from relay_claims where expires_at > $1::timestamptz and expires_at <= $2::timestamptz;

-- name: releaseStreams
delete from relay_claims where stream_id = any($1::uuid[]) and node = $2::uuid;

-- name: countUnpublished
-- How many facts are not published yet, and how old the oldest of them is, s. Of each stream only the first is looked at.
select coalesce(sum(s.seq - s.published), 0)::integer as lag,
  coalesce(extract(epoch from clock_timestamp() - min(f.at)), 0)::float8 as seconds
from streams s
left join lateral (select at from facts where stream_id = s.id and seq = s.published + 1) f on true
where s.published < s.seq;

-- name: rewindPublished
-- A page of the streams, so that no statement takes long; repeat until it answers less than a page.
with page as materialized (
  select id from streams where published > 0 order by id limit $1::integer for no key update
)
update streams s set published = 0 from page where s.id = page.id returning s.id;

-- name: readIncarnation
select incarnation, head, losses, rewound from bus_incarnation where name = $1::text;

-- name: noteIncarnation
-- Who knows of fewer losses has looked at what is no more.
insert into bus_incarnation as known (name, incarnation, head, losses)
values ($1::text, $2::text, $3::bigint, $4::integer)
on conflict (name) do update set incarnation = excluded.incarnation, losses = excluded.losses,
  head = case when excluded.losses > known.losses then excluded.head else greatest(known.head, excluded.head) end
  where excluded.losses >= known.losses;

-- name: noteRewound
update bus_incarnation set rewound = greatest(rewound, $2::integer) where name = $1::text;
