-- name: recordSimulatedSubmit
insert into simulated_submits (attempt, ref, submitted_at, request)
values ($1::text, $2::text, to_timestamp($3::float8 / 1000), $4::text)
on conflict (attempt) do nothing
returning ref;

-- name: findSimulatedSubmit
select ref, (extract(epoch from canceled_at) * 1000)::float8 as canceled_ms
from simulated_submits
where attempt = $1::text;

-- name: cancelSimulatedSubmit
update simulated_submits
set canceled_at = greatest(submitted_at, to_timestamp($2::float8 / 1000))
where attempt = $1::text and canceled_at is null;

-- name: countSimulatedSubmits
select count(*)::int as count
from simulated_submits
where request = $1::text and submitted_at >= to_timestamp($2::float8 / 1000);
