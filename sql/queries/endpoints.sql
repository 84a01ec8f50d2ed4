-- name: endpointById
select * from endpoints where id = $1::uuid and user_id = $2::uuid and deleted_at is null;

-- name: endpointsOfUser
select * from endpoints
where user_id = $1::uuid and deleted_at is null
  and ($2::timestamptz is null or (created_at, id) < ($2::timestamptz, $3::uuid))
order by created_at desc, id desc limit $4::integer;

-- name: endpointsBehind
-- Whose owners have facts that they have not seen.
select e.id, e.user_id, e.events, e.cursor, u.owner_seq as head
from endpoints e join users u on u.id = e.user_id
where e.cursor < u.owner_seq and e.deleted_at is null and e.disabled_at is null and u.deleted_at is null;

-- name: endpointsBehindOf
-- The same, of these owners.
select e.id, e.user_id, e.events, e.cursor, u.owner_seq as head
from endpoints e join users u on u.id = e.user_id
where e.user_id = any($1::uuid[])
  and e.cursor < u.owner_seq and e.deleted_at is null and e.disabled_at is null and u.deleted_at is null;

-- name: endpointBehind
select e.id, e.user_id, e.events, e.cursor, u.owner_seq as head
from endpoints e join users u on u.id = e.user_id
where e.id = $1::uuid
  and e.cursor < u.owner_seq and e.deleted_at is null and e.disabled_at is null and u.deleted_at is null;

-- name: factsOfOwner
-- Without their data.
select stream_id as stream, seq, owner_seq, id, type, traceparent from facts
where owner_id = $1::uuid and owner_seq > $2::bigint order by owner_seq limit $3::integer;

-- name: countOpenDeliveries
-- Up to a number.
select count(*)::integer as open from (
  select from actors where kind = 'delivery' and stream_id = $1::uuid and finished_at is null and parked_at is null
  limit $2::integer
) found;

-- name: nextDeliveries
-- What an endpoint is to be sent next, up to `$2`, and how many it is being sent. Of an ordered one, of each stream only
-- what comes before all that is not over yet; tests, and what is sent again on request, need not wait for that.
-- Ordered by age, so that the planner, which knows nothing of endpoints, does not walk the primary key instead.
with recursive endpoint as materialized (
  select e.id, e.ordered,
    (select count(*) from actors s where s.kind = 'delivery' and s.state = 'sending' and s.stream_id = e.id)::integer
      as sending
  from endpoints e join users u on u.id = e.user_id
  where e.id = $1::uuid and e.deleted_at is null and e.disabled_at is null and u.deleted_at is null
), heads as (
  (select a.id, a.created_at, a.state, a.snapshot #>> '{context,event,stream}' as stream
   from actors a
   where a.stream_id = $1::uuid and a.kind = 'delivery' and a.finished_at is null and a.parked_at is null
     and exists (select from endpoint where ordered)
     and a.snapshot #> '{context,redeliveryOf}' = 'null' and a.snapshot #> '{context,event,seq}' <> 'null'
   order by a.snapshot #>> '{context,event,stream}', (a.snapshot #> '{context,event,seq}')::bigint limit 1)
  union all
  select n.id, n.created_at, n.state, n.stream from heads h cross join lateral (
    select a.id, a.created_at, a.state, a.snapshot #>> '{context,event,stream}' as stream
    from actors a
    where a.stream_id = $1::uuid and a.kind = 'delivery' and a.finished_at is null and a.parked_at is null
      and a.snapshot #> '{context,redeliveryOf}' = 'null' and a.snapshot #> '{context,event,seq}' <> 'null'
      and a.snapshot #>> '{context,event,stream}' > h.stream
    order by a.snapshot #>> '{context,event,stream}', (a.snapshot #> '{context,event,seq}')::bigint limit 1
  ) n
)
select next.id, endpoint.sending from endpoint cross join lateral (
  (select a.id, a.created_at from actors a
   where not endpoint.ordered and a.kind = 'delivery' and a.state = 'pending' and a.parked_at is null
     and a.stream_id = endpoint.id
   order by a.created_at, a.id limit $2::integer)
  union all
  (select h.id, h.created_at from heads h where endpoint.ordered and h.state = 'pending'
   order by h.created_at, h.id limit $2::integer)
  union all
  (select a.id, a.created_at from actors a
   where endpoint.ordered and a.kind = 'delivery' and a.state = 'pending' and a.parked_at is null
     and not (a.snapshot #> '{context,redeliveryOf}' = 'null' and a.snapshot #> '{context,event,seq}' <> 'null')
     and a.stream_id = endpoint.id
   order by a.created_at, a.id limit $2::integer)
) next
order by next.created_at, next.id limit $2::integer;

-- name: endpointsWithPending
-- Those that something waits for. From one to the next by the index, however much that is.
with recursive found as (
  (select stream_id from actors
   where kind = 'delivery' and state = 'pending' and parked_at is null order by stream_id limit 1)
  union all
  select n.stream_id from found f cross join lateral (
    select stream_id from actors
    where kind = 'delivery' and state = 'pending' and parked_at is null and stream_id > f.stream_id
    order by stream_id limit 1
  ) n
)
select e.id from found f join endpoints e on e.id = f.stream_id join users u on u.id = e.user_id
where e.deleted_at is null and e.disabled_at is null and u.deleted_at is null;

-- name: endpointsFailing
-- Those that are no more, or where everything has failed since then.
select * from endpoints
where failing_since is not null and disabled_at is null and deleted_at is null
  and (gone_at is not null or failing_since < $1::timestamptz)
limit 100;

-- name: endpointToSend
select e.url, e.secret, e.disabled_at, e.created_at,
  case when e.previous_until > $2::timestamptz then e.previous_secret end as previous_secret
from endpoints e join users u on u.id = e.user_id
where e.id = $1::uuid and e.deleted_at is null and u.deleted_at is null;

-- name: deliveriesOfEndpoint
select a.id, a.stream_id as endpoint_id, a.state, a.snapshot, a.created_at
from actors a
where a.kind = 'delivery' and a.stream_id = $1::uuid
  and ($2::timestamptz is null or (a.created_at, a.id) < ($2::timestamptz, $3::uuid))
order by a.created_at desc, a.id desc limit $4::integer;

-- name: deliveriesOfEndpointIn
-- The same, of one status.
select a.id, a.stream_id as endpoint_id, a.state, a.snapshot, a.created_at
from actors a
where a.kind = 'delivery' and a.stream_id = $1::uuid and a.status = $5::text
  and ($2::timestamptz is null or (a.created_at, a.id) < ($2::timestamptz, $3::uuid))
order by a.created_at desc, a.id desc limit $4::integer;

-- name: deliveryById
select a.id, a.stream_id as endpoint_id, a.state, a.snapshot, a.created_at, e.disabled_at, a.finished_at
from actors a join endpoints e on e.id = a.stream_id
where a.id = $1::uuid and a.kind = 'delivery' and e.user_id = $2::uuid and e.deleted_at is null;

-- name: erasableEndpoints
-- What is being sent at this moment is waited for.
select e.id from endpoints e
where e.deleted_at < $1::timestamptz
  and not exists (
    select 1 from actors a
    where a.kind = 'delivery' and a.stream_id = e.id and a.state = 'sending' and a.parked_at is null)
  and not ($2::boolean and exists (select 1 from streams s where s.id = e.id and s.published < s.seq))
order by e.deleted_at limit $3::integer;

-- name: eraseDeliveries
with page as materialized (
  select a.id from actors a
  where a.kind = 'delivery' and a.stream_id = $1::uuid order by a.id limit $2::integer for update skip locked
), gone_transitions as (
  delete from transitions t using page where t.actor_id = page.id
), gone_letters as (
  delete from inbox i using page where i.target = page.id
)
delete from actors a using page where a.id = page.id returning a.id;

-- name: eraseOldDeliveries
with page as materialized (
  select a.id from actors a
  where a.kind = 'delivery' and a.finished_at < $1::timestamptz
  order by a.finished_at limit $2::integer for update skip locked
), gone_transitions as (
  delete from transitions t using page where t.actor_id = page.id
), gone_letters as (
  delete from inbox i using page where i.target = page.id
)
delete from actors a using page where a.id = page.id returning a.id;

-- name: eraseEndpoint
-- The last of it, when nothing else is left.
with page as materialized (
  select e.id from endpoints e
  where e.id = $1::uuid and e.deleted_at is not null
    and not exists (select 1 from actors where kind = 'delivery' and stream_id = e.id)
    and not exists (select 1 from facts where stream_id = e.id)
  for update skip locked
), gone_streams as (
  delete from streams s using page where s.id = page.id
)
delete from endpoints e using page where e.id = page.id returning e.id;
