-- name: hookSeen
select exists (select 1 from hook_deliveries where provider = $1::text and id = $2::text) as seen;

-- name: keepHook
insert into hook_deliveries (provider, id, received_at) values ($1::text, $2::text, $3::timestamptz)
on conflict do nothing;

-- name: sweepHooks
delete from hook_deliveries where (provider, id) in (
  select provider, id from hook_deliveries where received_at < $1::timestamptz limit 5000
);

-- name: modelOfJob
select tool_type, model_key from jobs where id = $1::uuid;
