-- name: rescueKey
-- For who is about to name an object: it is not condemned any more, unless it is doomed. Waits for who dooms it.
with held as materialized (
  select key, doomed from condemned where key = $1::text for update
), rescued as (
  delete from condemned c using held where c.key = held.key and not held.doomed
)
select coalesce(bool_or(doomed), false) as doomed from held;

-- name: doomObjects
-- Dooms what was condemned before `$1` and is still not named by any row, and what was doomed before `$2` by a node that
-- did not come to the end of it. `$3`: the instant.
with due as materialized (
  select key from condemned
  where (at < $1::timestamptz and not doomed) or (at < $2::timestamptz and doomed)
  order by at limit $4::integer for update skip locked
), spared as (
  delete from condemned c using due where c.key = due.key and key_referenced(c.key)
)
update condemned c set doomed = true, at = $3::timestamptz from due
where c.key = due.key and not key_referenced(c.key) returning c.key;

-- name: buryObjects
delete from condemned where key = any($1::text[]) and doomed;

-- name: condemnUnnamed
-- Of these keys, those that no row names.
insert into condemned (key, at) select k, $2::timestamptz from unnest($1::text[]) k where not key_referenced(k) order by k
on conflict do nothing returning key;

-- name: unnamedKeys
select k as key from unnest($1::text[]) k where not key_referenced(k);

-- name: claimChore
-- Whether it is up to us: nobody has begun it since `$2`. `$3`: the instant.
insert into chores as c (name, at) values ($1::text, $3::timestamptz)
on conflict (name) do update set at = excluded.at where c.at < $2::timestamptz
returning name;

-- name: namedKeys
-- All keys that rows name, in the order of S3. `required`: something must be there.
select key, bool_or(required) as required from (
  select raw_key as key, true as required from outputs
  union all select min_key, true from outputs
  union all select t->>'key', true from outputs, jsonb_array_elements(thumbnails) t
  union all select unnest(inputs), true from jobs where inputs <> '{}'
  union all
  select jsonb_path_query(snapshot #> '{context,object}', '$.**.key') #>> '{}', true from actors where kind = 'attachment'
  union all
  select t.upload_key, false from attachments t join actors a on a.id = t.id where a.finished_at is null
) named
where key is not null group by key order by key collate "C";
