-- What models took and where live jobs stand, read from what is written anyway.

-- Completion times of a model, newest first.
create index facts_rendered on facts ((data->>'model_key'), (data->>'tool_type'), at desc) where type = 'job.rendered';

-- The live jobs of a stream. In the place of an index by kind alone: every step of an actor writes to each of them.
create index actors_live_by_stream on actors (kind, stream_id) where finished_at is null;
drop index actors_live;

-- How many queued jobs of its account will be started before a queued job, counted to about a thousand. An owner's
-- k-th job has its turn at the owner's virtual time + k (see `nextTurns`), so another owner with `waiting` jobs has as
-- many before it as fit below this one's turn; equal turns go by owner. What is queued later by an owner who has had
-- less may still come first.
create function queue_position(p_account text, p_owner uuid, p_job uuid) returns integer language sql stable as $$
  with mine as (
    select own.before, coalesce(t.virtual_time, 0) + own.before + 1 as turn
    from (
      select count(*) as before from (
        select from actors
        where account = p_account and owner_id = p_owner and state = 'queued' and parked_at is null and id < p_job
        limit 1000
      ) earlier
    ) own
    left join turns t on t.account = p_account and t.owner_id = p_owner
  )
  select (mine.before + coalesce((
    select sum(least(o.waiting, case
      when o.owner_id < p_owner then floor(mine.turn - o.virtual_time)
      else ceil(mine.turn - o.virtual_time) - 1 end))
    from (
      select owner_id, waiting, virtual_time from turns
      where account = p_account and waiting > 0 and owner_id <> p_owner and virtual_time < mine.turn
      order by virtual_time limit 1000
    ) o
  ), 0))::integer
  from mine
$$;
