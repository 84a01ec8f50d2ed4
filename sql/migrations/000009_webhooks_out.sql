-- Webhooks to users' own receivers. An endpoint has seen its owner's facts up to `cursor` (an `owner_seq`): what it wants
-- of them has become deliveries, actors of kind `delivery` whose stream is the endpoint's id. `version` is raised with
-- every change that its owner, or its failing, makes; `cursor` and `failing_since` change by themselves.
create table endpoints (
  id uuid primary key,
  user_id uuid not null references users (id),
  url text not null check (char_length(url) between 1 and 2000),
  -- `*`, `<kind>.*` or a type of fact.
  events text[] not null check (cardinality(events) between 1 and 100),
  -- The facts of one stream one after another.
  ordered boolean not null,
  secret text not null,
  -- Signs as well until then.
  previous_secret text,
  previous_until timestamptz,
  cursor bigint not null check (cursor >= 0),
  version bigint not null default 1 check (version >= 1),
  -- Since then every try has failed.
  failing_since timestamptz,
  -- It answered that it is no more.
  gone_at timestamptz,
  disabled_at timestamptz,
  disabled_reason text check (disabled_reason in ('user', 'failing', 'gone')),
  created_at timestamptz not null,
  deleted_at timestamptz,
  check ((previous_secret is null) = (previous_until is null)),
  check ((disabled_at is null) = (disabled_reason is null)),
  check (gone_at is null or failing_since is not null)
);
create index endpoints_by_user on endpoints (user_id, created_at desc, id desc);
create index endpoints_deleted on endpoints (deleted_at) where deleted_at is not null;
create index endpoints_failing on endpoints (failing_since)
  where failing_since is not null and disabled_at is null and deleted_at is null;

-- The list of an endpoint's deliveries; what waits for its turn; what is under way; what is not over yet, by the fact's
-- place in its stream; and what waits and has no place there: tests, and what had ended and is sent again.
create index deliveries_by_endpoint on actors (stream_id, created_at desc, id desc) where kind = 'delivery';
create index deliveries_by_status on actors (stream_id, status, created_at desc, id desc) where kind = 'delivery';
create index deliveries_pending on actors (stream_id, created_at, id)
  where kind = 'delivery' and state = 'pending' and parked_at is null;
create index deliveries_sending on actors (stream_id) where kind = 'delivery' and state = 'sending';
create index deliveries_open on actors
    (stream_id, (snapshot #>> '{context,event,stream}'), ((snapshot #> '{context,event,seq}')::bigint))
  where kind = 'delivery' and finished_at is null and parked_at is null
    and snapshot #> '{context,redeliveryOf}' = 'null' and snapshot #> '{context,event,seq}' <> 'null';
create index deliveries_aside on actors (stream_id, created_at, id)
  where kind = 'delivery' and state = 'pending' and parked_at is null
    and not (snapshot #> '{context,redeliveryOf}' = 'null' and snapshot #> '{context,event,seq}' <> 'null');

-- What becomes of units that create or change endpoints, or need one to be there; with the rows locked, in the order of
-- their ids. Whoever creates one locks all users of the group at once: how many there may be is counted under that lock.
create function judge_endpoints(p jsonb, was text[]) returns text[] language plpgsql as $$
declare
  outcome text[] := was;
begin
  if coalesce(jsonb_array_length(p->'endpoints'), 0) + coalesce(jsonb_array_length(p->'endpoint_changes'), 0)
      + coalesce(jsonb_array_length(p->'endpoint_cursors'), 0) + coalesce(jsonb_array_length(p->'endpoint_tries'), 0) = 0
    and not jsonb_path_exists(p->'live', '$[*] ? (exists(@.endpoint_id))')
  then
    return outcome;
  end if;
  if jsonb_array_length(p->'endpoints') > 0 then
    perform 1 from users
      where id in (
        select x.user_id from jsonb_to_recordset(p->'endpoints') x(user_id uuid)
        union select f.owner_id from jsonb_to_recordset(p->'facts') f(owner_id uuid))
      order by id for no key update;
  end if;
  perform 1 from endpoints e
    where id in (select (l->>'endpoint_id')::uuid from jsonb_array_elements(p->'live') l)
      or id in (select x.id from jsonb_to_recordset(p->'endpoint_changes') x(id uuid))
      or id in (select x.id from jsonb_to_recordset(p->'endpoint_cursors') x(id uuid))
      or exists (
        select 1 from jsonb_to_recordset(p->'endpoint_tries') x(id uuid, taken boolean, gone boolean)
        where x.id = e.id and case when x.taken then e.failing_since is not null
          else e.failing_since is null or (x.gone and e.gone_at is null) end)
    order by id for no key update;
  select array_agg(coalesce(g.lost, o.was) order by o.u) into outcome
    from unnest(outcome) with ordinality o(was, u)
    left join (
      select u, min(lost) lost from (
        select x.u, 'gone' lost
          from jsonb_to_recordset(p->'live') x(u integer, endpoint_id uuid)
          where x.endpoint_id is not null
            and not exists (select 1 from endpoints t where t.id = x.endpoint_id and t.deleted_at is null)
        union all
        select x.u, 'reserve_denied'
          from (
            select r.u, r.user_id, r.most, row_number() over (partition by r.user_id order by r.u) place
            from jsonb_to_recordset(p->'endpoints') r(u integer, user_id uuid, most integer)
          ) x
          where x.place + (select count(*) from endpoints t where t.user_id = x.user_id and t.deleted_at is null) > x.most
        union all
        select x.u, 'version_lost'
          from (
            select r.u, r.id, r.expect, row_number() over (partition by r.id order by r.u) place
            from jsonb_to_recordset(p->'endpoint_changes') r(u integer, id uuid, expect bigint)
          ) x
          where x.place > 1 or not exists (select 1 from endpoints t where t.id = x.id and t.version = x.expect)
        union all
        select x.u, 'version_lost'
          from (
            select r.u, r.id, r."from", row_number() over (partition by r.id order by r.u) place
            from jsonb_to_recordset(p->'endpoint_cursors') r(u integer, id uuid, "from" bigint)
          ) x
          where x.place > 1
            or not exists (
              select 1 from endpoints t where t.id = x.id and t.cursor = x."from" and t.deleted_at is null)
      ) losses group by u
    ) g using (u);
  return outcome;
end $$;

-- What the winners write. A new endpoint hears what comes from now on.
create function write_endpoints(p jsonb, outcome text[]) returns void language plpgsql as $$
begin
  insert into endpoints (id, user_id, url, events, ordered, secret, cursor, created_at)
    select r.id, r.user_id, r.url, r.events, r.ordered, r.secret, t.owner_seq, r.created_at
    from jsonb_to_recordset(p->'endpoints') r(u integer, id uuid, user_id uuid, url text, events text[],
      ordered boolean, secret text, created_at timestamptz)
    join users t on t.id = r.user_id
    where outcome[r.u] = 'won';
  update endpoints e set url = r.url, events = r.events, ordered = r.ordered, secret = r.secret,
      previous_secret = r.previous_secret, previous_until = r.previous_until, version = e.version + 1,
      disabled_at = r.disabled_at, disabled_reason = r.disabled_reason,
      failing_since = case when r.anew then null else e.failing_since end,
      gone_at = case when r.anew then null else e.gone_at end
    from jsonb_to_recordset(p->'endpoint_changes') r(u integer, id uuid, url text, events text[], ordered boolean,
      secret text, previous_secret text, previous_until timestamptz, disabled_at timestamptz, disabled_reason text,
      anew boolean)
    where outcome[r.u] = 'won' and e.id = r.id;
  update endpoints e set cursor = r."to"
    from jsonb_to_recordset(p->'endpoint_cursors') r(u integer, id uuid, "to" bigint)
    where outcome[r.u] = 'won' and e.id = r.id;
  update endpoints e set failing_since = case when h.taken then null else coalesce(e.failing_since, h.at) end,
      gone_at = case when h.taken then null else coalesce(e.gone_at, h.gone_at) end
    from (
      select r.id, bool_or(r.taken) taken, min(r.at) at, min(r.at) filter (where r.gone) gone_at
      from jsonb_to_recordset(p->'endpoint_tries') r(u integer, id uuid, taken boolean, gone boolean, at timestamptz)
      where outcome[r.u] = 'won' group by r.id
    ) h
    where e.id = h.id and case when h.taken then e.failing_since is not null
      else e.failing_since is null or (h.gone_at is not null and e.gone_at is null) end;
  update endpoints e set deleted_at = coalesce(e.deleted_at, r.deleted_at)
    from jsonb_to_recordset(p->'tombstones') r(u integer, endpoint_id uuid, deleted_at timestamptz)
    where outcome[r.u] = 'won' and e.id = r.endpoint_id;
end $$;

-- The one write path, as in migration 8, with endpoints: judged before the actors are, written before the facts.
create or replace function commit_units(p_group uuid, p jsonb) returns jsonb language plpgsql as $$
declare
  outcome text[];
  result jsonb;
  seqs jsonb;
  replays jsonb;
  has_reserves boolean;
  instant timestamptz;
begin
  select answer into result from commits where id = p_group;
  if found then
    return result;
  end if;
  outcome := array_fill('won'::text, array[jsonb_array_length(p->'units')]);

  if jsonb_array_length(p->'live') > 0 then
    if jsonb_array_length(p->'user_changes') > 0 then
      perform 1 from users
        where id in (select x.id from jsonb_to_recordset(p->'user_changes') x(id uuid, deleted_at timestamptz)
          where x.deleted_at is not null)
        order by id for update;
    end if;
    perform 1 from users
      where id in (select (e->>'user_id')::uuid from jsonb_array_elements(p->'live') e)
      order by id for key share;
    perform 1 from chats
      where id in (select (e->>'chat_id')::uuid from jsonb_array_elements(p->'live') e)
      order by id for no key update;
    if jsonb_path_exists(p->'live', '$[*] ? (exists(@.batch_id) || exists(@.job_id) || exists(@.attachment_id))') then
      perform 1 from batches
        where id in (select (e->>'batch_id')::uuid from jsonb_array_elements(p->'live') e)
        order by id for no key update;
      perform 1 from jobs
        where id in (select (e->>'job_id')::uuid from jsonb_array_elements(p->'live') e)
        order by id for no key update;
      perform 1 from attachments
        where id in (select (e->>'attachment_id')::uuid from jsonb_array_elements(p->'live') e)
        order by id for no key update;
    end if;
    select array_agg(coalesce(g.lost, o.was) order by o.u) into outcome
      from unnest(outcome) with ordinality o(was, u)
      left join (
        select distinct x.u, 'gone' lost
        from jsonb_to_recordset(p->'live')
          x(u integer, user_id uuid, chat_id uuid, batch_id uuid, job_id uuid, attachment_id uuid)
        -- A user who is seen for the first time has no row yet.
        where (x.user_id is not null
            and exists (select 1 from users t where t.id = x.user_id and t.deleted_at is not null))
          or (x.chat_id is not null
            and not exists (select 1 from chats t where t.id = x.chat_id and t.deleted_at is null))
          or (x.batch_id is not null
            and not exists (select 1 from batches t where t.id = x.batch_id and t.deleted_at is null))
          or (x.job_id is not null
            and not exists (select 1 from jobs t where t.id = x.job_id and t.deleted_at is null))
          or (x.attachment_id is not null
            and not exists (select 1 from attachments t where t.id = x.attachment_id and t.deleted_at is null))
      ) g using (u);
  end if;

  outcome := judge_endpoints(p, outcome);

  perform 1 from actors
    where id in (select x.id from jsonb_to_recordset(p->'actors') x(id uuid, expect bigint) where x.expect > 0)
    order by id for no key update;
  select array_agg(case when o.was = 'won' then coalesce(g.lost, o.was) else o.was end order by o.u) into outcome
    from unnest(outcome) with ordinality o(was, u)
    left join (
      select distinct x.u, 'version_lost' lost
      from jsonb_to_recordset(p->'actors') x(u integer, id uuid, expect bigint)
      left join actors a on a.id = x.id
      where coalesce(a.version, 0) <> x.expect
    ) g using (u);

  if jsonb_path_exists(p->'units', '$[*] ? (@.key != null)') then
    insert into idempotency (user_id, route, key, body_hash, unit, status, answer)
      select x.user_id, x.route, x.key, x.body_hash, x.unit, x.status, x.answer
      from jsonb_to_recordset(p->'units')
        x(u integer, unit uuid, user_id uuid, route text, key text, body_hash text, status integer, answer jsonb)
      where x.key is not null and outcome[x.u] = 'won'
      order by x.user_id, x.route, x.key, x.u
      on conflict do nothing;
    select jsonb_agg(jsonb_build_object(
        'u', x.u, 'body_hash', i.body_hash, 'status', i.status, 'answer', i.answer)) into replays
      from jsonb_to_recordset(p->'units') x(u integer, unit uuid, user_id uuid, route text, key text)
      join idempotency i on i.user_id = x.user_id and i.route = x.route and i.key = x.key
      where outcome[x.u] = 'won' and i.unit <> x.unit;
    select array_agg(case when r.u is null then o.was else 'replayed' end order by o.u) into outcome
      from unnest(outcome) with ordinality o(was, u)
      left join jsonb_to_recordset(coalesce(replays, '[]')) r(u integer) using (u);
  end if;

  has_reserves := jsonb_path_exists(p->'actors', '$[*] ? (@.slots != 0 || @.turns != 0 || @.pause != null || @.opens == true)');
  if has_reserves then
    perform 1 from accounts
      where id in (select x.account from jsonb_to_recordset(p->'actors') x(account text, slots integer, pause jsonb)
          where x.slots <> 0 or x.pause is not null)
        or probe in (select x.id from jsonb_to_recordset(p->'actors') x(id uuid, opens boolean) where x.opens)
      order by id for no key update;
    -- Read under the locks: instants of one account never go back.
    instant := clock_timestamp();
    select array_agg(case when d.u is null then o.was else 'reserve_denied' end order by o.u) into outcome
      from unnest(outcome) with ordinality o(was, u)
      left join (
        select distinct t.u
        from (
          select x.u, x.account, row_number() over (partition by x.account order by x.u) place
          from jsonb_to_recordset(p->'actors') x(u integer, account text, slots integer)
          where x.slots > 0 and outcome[x.u] = 'won'
        ) t
        left join accounts a on a.id = t.account
        left join (
          select x.account, count(*) freed
          from jsonb_to_recordset(p->'actors') x(u integer, account text, slots integer)
          where x.slots < 0 and outcome[x.u] = 'won'
          group by x.account
        ) f on f.account = t.account
        where a.id is null or t.place > least(a.slots - a.in_use + coalesce(f.freed, 0), account_grant(a, instant))
      ) d using (u);
    delete from idempotency i using jsonb_to_recordset(p->'units') x(u integer, unit uuid, user_id uuid, route text, key text)
      where outcome[x.u] = 'reserve_denied' and i.unit = x.unit
        and i.user_id = x.user_id and i.route = x.route and i.key = x.key;
  end if;

  -- From here on only winners write.

  insert into users (id, email, password_hash, role)
    select r.id, r.email, r.password_hash, r.role
    from jsonb_to_recordset(p->'users') r(u integer, id uuid, email text, password_hash text, role text)
    where outcome[r.u] = 'won' order by r.id
    on conflict (id) do update set email = coalesce(excluded.email, users.email),
      password_hash = coalesce(excluded.password_hash, users.password_hash)
      where users.deleted_at is null;
  insert into chats (id, user_id, title, created_at)
    select r.id, r.user_id, r.title, r.created_at
    from jsonb_to_recordset(p->'chats') r(u integer, id uuid, user_id uuid, title text, created_at timestamptz)
    where outcome[r.u] = 'won';
  update chats c set title = coalesce(r.title, c.title), deleted_at = coalesce(c.deleted_at, r.deleted_at)
    from jsonb_to_recordset(p->'chat_changes') r(u integer, id uuid, title text, deleted_at timestamptz)
    where outcome[r.u] = 'won' and c.id = r.id;
  if jsonb_array_length(p->'user_changes') > 0 then
    update users t set retention = case when r.deleted_at is null then coalesce(r.retention, t.retention) else '{}' end,
        email = case when r.deleted_at is null then t.email end,
        password_hash = case when r.deleted_at is null then t.password_hash end,
        deleted_at = coalesce(t.deleted_at, r.deleted_at)
      from jsonb_to_recordset(p->'user_changes') r(u integer, id uuid, retention jsonb, deleted_at timestamptz)
      where outcome[r.u] = 'won' and t.id = r.id;
  end if;
  if jsonb_array_length(p->'tombstones') > 0 then
    update chats t set deleted_at = coalesce(t.deleted_at, r.deleted_at)
      from jsonb_to_recordset(p->'tombstones') r(u integer, chat_id uuid, deleted_at timestamptz)
      where outcome[r.u] = 'won' and t.id = r.chat_id;
    update batches t set deleted_at = coalesce(t.deleted_at, r.deleted_at)
      from jsonb_to_recordset(p->'tombstones') r(u integer, batch_id uuid, deleted_at timestamptz)
      where outcome[r.u] = 'won' and t.id = r.batch_id;
    update jobs t set deleted_at = coalesce(t.deleted_at, r.deleted_at)
      from jsonb_to_recordset(p->'tombstones') r(u integer, job_id uuid, deleted_at timestamptz)
      where outcome[r.u] = 'won' and t.id = r.job_id;
    update attachments t set deleted_at = coalesce(t.deleted_at, r.deleted_at)
      from jsonb_to_recordset(p->'tombstones') r(u integer, attachment_id uuid, deleted_at timestamptz)
      where outcome[r.u] = 'won' and t.id = r.attachment_id;
  end if;
  insert into messages (id, chat_id, author_type, content_text, render_payload, attachments, created_at)
    select r.id, r.chat_id, r.author_type, r.content_text, r.render_payload, r.attachments, r.created_at
    from jsonb_to_recordset(p->'messages') r(u integer, id uuid, chat_id uuid, author_type text, content_text text,
      render_payload jsonb, attachments uuid[], created_at timestamptz)
    where outcome[r.u] = 'won';
  update chats c set message_count = c.message_count + m.count, last_message_at = greatest(c.last_message_at, m.at)
    from (
      select r.chat_id, count(*) count, max(r.created_at) at
      from jsonb_to_recordset(p->'messages') r(u integer, chat_id uuid, created_at timestamptz)
      where outcome[r.u] = 'won' group by r.chat_id
    ) m where c.id = m.chat_id;
  insert into options (id, chat_id, message_id, user_id, position, tool_type, model_key, label, description,
      prompt, enhanced_prompt, params, attachments, created_at)
    select r.id, r.chat_id, r.message_id, r.user_id, r.position, r.tool_type, r.model_key, r.label, r.description,
      r.prompt, r.enhanced_prompt, r.params, r.attachments, r.created_at
    from jsonb_to_recordset(p->'options') r(u integer, id uuid, chat_id uuid, message_id uuid, user_id uuid,
      position integer, tool_type text, model_key text, label text, description text, prompt text,
      enhanced_prompt text, params jsonb, attachments uuid[], created_at timestamptz)
    where outcome[r.u] = 'won';
  insert into batches (id, user_id, prompt, num_images, model_key, created_at)
    select r.id, r.user_id, r.prompt, r.num_images, r.model_key, r.created_at
    from jsonb_to_recordset(p->'batches') r(u integer, id uuid, user_id uuid, prompt text, num_images integer,
      model_key text, created_at timestamptz)
    where outcome[r.u] = 'won';
  insert into jobs (id, user_id, chat_id, option_id, batch_id, batch_index, retry_of, tool_type, model_key,
      provider, prompt, params, inputs, alternatives, created_at)
    select r.id, r.user_id, r.chat_id, r.option_id, r.batch_id, r.batch_index, r.retry_of, r.tool_type, r.model_key,
      r.provider, r.prompt, r.params, r.inputs, coalesce(r.alternatives, '[]'), r.created_at
    from jsonb_to_recordset(p->'jobs') r(u integer, id uuid, user_id uuid, chat_id uuid, option_id uuid,
      batch_id uuid, batch_index integer, retry_of uuid, tool_type text, model_key text, provider text,
      prompt text, params jsonb, inputs text[], alternatives jsonb, created_at timestamptz)
    where outcome[r.u] = 'won';
  insert into attachments (id, user_id, file_name, content_type, size, upload_key, created_at)
    select r.id, r.user_id, r.file_name, r.content_type, r.size, r.upload_key, r.created_at
    from jsonb_to_recordset(p->'attachments') r(u integer, id uuid, user_id uuid, file_name text,
      content_type text, size bigint, upload_key text, created_at timestamptz)
    where outcome[r.u] = 'won';
  insert into outputs (id, job_id, user_id, position, sha256, mime, size_bytes, raw_key, min_key, thumbnails, created_at)
    select r.id, r.job_id, r.user_id, r.position, r.sha256, r.mime, r.size_bytes, r.raw_key, r.min_key, r.thumbnails, r.created_at
    from jsonb_to_recordset(p->'outputs') r(u integer, id uuid, job_id uuid, user_id uuid, position integer,
      sha256 text, mime text, size_bytes bigint, raw_key text, min_key text, thumbnails jsonb, created_at timestamptz)
    where outcome[r.u] = 'won';

  perform write_endpoints(p, outcome);

  insert into actors (id, kind, machine_version, state, status, snapshot, version, wake_at, owner_id, stream_id,
      account, created_at, finished_at)
    select r.id, r.kind, r.machine_version, r.state, r.status, r.snapshot, 1, r.wake_at, r.owner_id, r.stream_id,
      r.account, r.at, r.finished_at
    from jsonb_to_recordset(p->'actors') r(u integer, id uuid, expect bigint, kind text, machine_version integer,
      state text, status text, snapshot jsonb, wake_at timestamptz, owner_id uuid, stream_id uuid, account text,
      at timestamptz, finished_at timestamptz)
    where r.expect = 0 and outcome[r.u] = 'won';
  update actors a set machine_version = r.machine_version, state = r.state, status = r.status, snapshot = r.snapshot,
      version = r.expect + 1, wake_at = r.wake_at, account = r.account, finished_at = coalesce(a.finished_at, r.finished_at),
      parked_at = case when r.parked_reason is null then null else r.at end, parked_reason = r.parked_reason
    from jsonb_to_recordset(p->'actors') r(u integer, id uuid, expect bigint, machine_version integer, state text,
      status text, snapshot jsonb, wake_at timestamptz, account text, at timestamptz, finished_at timestamptz,
      parked_reason text)
    where a.id = r.id and r.expect > 0 and outcome[r.u] = 'won';
  insert into transitions (actor_id, version, at, event, from_state, to_state, unit, effects, folded, reason)
    select r.id, r.expect + 1, r.at, r.event, r.from_state, r.state, x.unit, r.effects, r.folded, r.reason
    from jsonb_to_recordset(p->'actors') r(u integer, id uuid, expect bigint, at timestamptz, event text,
      from_state text, state text, effects jsonb, folded text[], reason text)
    join jsonb_to_recordset(p->'units') x(u integer, unit uuid) on x.u = r.u
    where outcome[r.u] = 'won';

  delete from inbox i using jsonb_to_recordset(p->'drains')
      x(u integer, target uuid, source uuid, source_version bigint, n integer)
    where outcome[x.u] = 'won' and i.target = x.target and i.source = x.source
      and i.source_version = x.source_version and i.n = x.n;
  insert into inbox (target, source, source_version, n, event)
    select x.target, x.source, x.source_version, x.n, x.event
    from jsonb_to_recordset(p->'tells')
      x(u integer, target uuid, source uuid, source_version bigint, n integer, event jsonb)
    where outcome[x.u] = 'won';

  if has_reserves then
    -- A newcomer's virtual time starts at the account's, so that idling earns no credit.
    insert into turns (account, owner_id, virtual_time)
      select distinct r.account, r.owner_id, a.virtual_time
      from jsonb_to_recordset(p->'actors') r(u integer, account text, owner_id uuid, turns integer)
      join accounts a on a.id = r.account
      where r.turns > 0 and outcome[r.u] = 'won' order by r.account, r.owner_id
      on conflict do nothing;
    perform 1 from turns t
      where (t.account, t.owner_id) in (
        select r.account, r.owner_id
        from jsonb_to_recordset(p->'actors') r(u integer, account text, owner_id uuid, turns integer)
        where r.turns <> 0 and outcome[r.u] = 'won')
      order by t.account, t.owner_id for no key update;
    update accounts a set
        in_use = a.in_use + d.slots,
        virtual_time = greatest(a.virtual_time, d.virtual_time),
        submit_tokens = case when d.starts = 0 then a.submit_tokens else coalesce(
          bucket_tokens(a.submits_per_minute, a.submit_tokens, a.submits_at, instant) - d.starts, a.submit_tokens) end,
        submits_at = case when d.starts = 0 then a.submits_at else instant end,
        -- The one start of a paused account is its probe. A submit does not take longer than this, so the next one
        -- is let through then should this one never be answered.
        probe = case when a.paused_reason is null or d.starts = 0 then a.probe else d.starter end,
        paused_until = case when a.paused_reason is null or d.starts = 0 then a.paused_until
          else instant + interval '30 seconds' end
      from (
        select r.account, sum(r.slots) slots, max(t.virtual_time) filter (where r.slots > 0) virtual_time,
          count(*) filter (where r.slots > 0) starts,
          (array_agg(r.id) filter (where r.slots > 0))[1] starter
        from jsonb_to_recordset(p->'actors') r(u integer, id uuid, account text, owner_id uuid, slots integer)
        left join turns t on t.account = r.account and t.owner_id = r.owner_id
        where r.slots <> 0 and outcome[r.u] = 'won' group by r.account
      ) d where a.id = d.account;
    -- The probe was taken. At a pace, it only earns the next one.
    update accounts a set
        paused_reason = case when a.paced_until > instant then a.paused_reason end,
        paused_at = case when a.paced_until > instant then a.paused_at end,
        paused_until = case when a.paced_until > instant then instant + make_interval(secs => a.pace_ms / 1000.0) end,
        pace_ms = case when a.paced_until > instant then a.pace_ms end,
        paced_until = case when a.paced_until > instant then a.paced_until end,
        strikes = 0, probe = null
      where a.probe in (select x.id from jsonb_to_recordset(p->'actors') x(u integer, id uuid, opens boolean)
        where x.opens and outcome[x.u] = 'won');
    update accounts a set
        paused_reason = (w.b).paused_reason, paused_at = (w.b).paused_at, paused_until = (w.b).paused_until,
        strikes = (w.b).strikes, probe = (w.b).probe, pace_ms = (w.b).pace_ms, paced_until = (w.b).paced_until
      from (
        select distinct on (s.id) s.id, pause_account(s, r.pause->>'reason', (r.pause->>'ms')::float8,
          (r.pause->>'most_ms')::float8, (r.pause->>'pace_ms')::integer, coalesce(s.probe = r.id, false), instant) b
        from jsonb_to_recordset(p->'actors') r(u integer, id uuid, account text, pause jsonb)
        join accounts s on s.id = r.account
        where r.pause is not null and outcome[r.u] = 'won'
        order by s.id, (s.probe = r.id) desc nulls last, (r.pause->>'ms')::float8 desc
      ) w where a.id = w.id;
    update turns t set
        waiting = t.waiting + d.turns,
        virtual_time = case when t.waiting = 0 then greatest(t.virtual_time, a.virtual_time) else t.virtual_time end
          + d.starts
      from (
        select r.account, r.owner_id, sum(r.turns) turns, count(*) filter (where r.slots > 0 and r.turns < 0) starts
        from jsonb_to_recordset(p->'actors') r(u integer, account text, owner_id uuid, slots integer, turns integer)
        where r.turns <> 0 and outcome[r.u] = 'won' group by r.account, r.owner_id
      ) d
      join accounts a on a.id = d.account
      where t.account = d.account and t.owner_id = d.owner_id;
  end if;

  if jsonb_array_length(p->'facts') > 0 then
    insert into streams (id, owner_id)
      select distinct on (f.stream_id) f.stream_id, f.owner_id
      from jsonb_to_recordset(p->'facts') f(u integer, stream_id uuid, owner_id uuid)
      where outcome[f.u] = 'won' order by f.stream_id
      on conflict do nothing;
    perform 1 from streams
      where id in (select f.stream_id from jsonb_to_recordset(p->'facts') f(u integer, stream_id uuid) where outcome[f.u] = 'won')
      order by id for no key update;
    perform 1 from users
      where id in (select f.owner_id from jsonb_to_recordset(p->'facts') f(u integer, owner_id uuid) where outcome[f.u] = 'won')
      order by id for no key update;
    with placed as (
      select f.*, s.seq + row_number() over (partition by f.stream_id order by f.ord) as seq,
        o.owner_seq + row_number() over (partition by f.owner_id order by f.ord) as owner_seq
      from jsonb_to_recordset(p->'facts') f(u integer, ord integer, stream_id uuid, owner_id uuid, id uuid, type text,
        at timestamptz, actor_kind text, actor_id uuid, data jsonb, traceparent text)
      join streams s on s.id = f.stream_id
      join users o on o.id = f.owner_id
      where outcome[f.u] = 'won'
    ), written as (
      insert into facts (stream_id, seq, owner_id, owner_seq, id, type, at, actor_kind, actor_id, data, traceparent)
        select stream_id, seq, owner_id, owner_seq, id, type, at, actor_kind, actor_id, data, traceparent from placed
    ), heads as (
      update streams s set seq = h.seq from (select stream_id, max(seq) seq from placed group by stream_id) h
        where s.id = h.stream_id
    ), owners as (
      update users o set owner_seq = h.seq from (select owner_id, max(owner_seq) seq from placed group by owner_id) h
        where o.id = h.owner_id
    )
    select jsonb_agg(jsonb_build_array(ord, seq, owner_seq) order by ord) into seqs from placed;
  end if;

  result := jsonb_build_object(
    'outcomes', to_jsonb(outcome), 'seqs', coalesce(seqs, '[]'), 'replays', coalesce(replays, '[]'));
  insert into commits (id, answer) values (p_group, result);
  return result;
end $$;
