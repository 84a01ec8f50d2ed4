-- Generated from the migrations by `npm run schema`; a test compares it. Never edited by hand.

create table accounts (
  id text not null,
  slots integer not null,
  in_use integer default 0 not null,
  virtual_time double precision default 0 not null,
  submits_per_minute double precision,
  submit_tokens double precision default 'Infinity'::double precision not null,
  submits_at timestamp with time zone default now() not null,
  checks_per_minute double precision,
  check_tokens double precision default 'Infinity'::double precision not null,
  checks_at timestamp with time zone default now() not null,
  paused_reason text,
  paused_at timestamp with time zone,
  paused_until timestamp with time zone,
  strikes integer default 0 not null,
  probe uuid,
  pace_ms integer,
  paced_until timestamp with time zone,
  constraint accounts_checks_per_minute_check CHECK ((checks_per_minute >= (1)::double precision)),
  constraint accounts_in_use_check CHECK ((in_use >= 0)),
  constraint accounts_pace_ms_check CHECK ((pace_ms > 0)),
  constraint accounts_pace_whole CHECK (((pace_ms IS NULL) = (paced_until IS NULL))),
  constraint accounts_paused_whole CHECK ((((paused_reason IS NULL) = (paused_until IS NULL)) AND ((paused_reason IS NULL) = (paused_at IS NULL)))),
  constraint accounts_pkey PRIMARY KEY (id),
  constraint accounts_probe_paused CHECK (((probe IS NULL) OR (paused_reason IS NOT NULL))),
  constraint accounts_slots_check CHECK ((slots >= 0)),
  constraint accounts_strikes_check CHECK ((strikes >= 0)),
  constraint accounts_submits_per_minute_check CHECK ((submits_per_minute >= (1)::double precision))
) with (fillfactor=50);

create table actors (
  id uuid not null,
  kind text not null,
  machine_version integer not null,
  state text not null,
  status text,
  snapshot jsonb not null,
  version bigint not null,
  wake_at timestamp with time zone,
  owner_id uuid not null,
  stream_id uuid not null,
  account text,
  created_at timestamp with time zone not null,
  finished_at timestamp with time zone,
  parked_at timestamp with time zone,
  parked_reason text,
  constraint actors_check CHECK (((finished_at IS NULL) OR (wake_at IS NULL))),
  constraint actors_check1 CHECK (((parked_at IS NULL) = (parked_reason IS NULL))),
  constraint actors_check2 CHECK (((parked_at IS NULL) OR (wake_at IS NULL))),
  constraint actors_machine_version_check CHECK ((machine_version >= 1)),
  constraint actors_pkey PRIMARY KEY (id),
  constraint actors_version_check CHECK ((version >= 1))
) with (fillfactor=80);

create table attachments (
  id uuid not null,
  user_id uuid not null,
  file_name text not null,
  content_type text not null,
  size bigint not null,
  upload_key text not null,
  created_at timestamp with time zone not null,
  deleted_at timestamp with time zone,
  constraint attachments_pkey PRIMARY KEY (id),
  constraint attachments_size_check CHECK ((size > 0)),
  constraint attachments_upload_key_key UNIQUE (upload_key)
);

create table batches (
  id uuid not null,
  user_id uuid not null,
  prompt text not null,
  num_images integer not null,
  model_key text not null,
  created_at timestamp with time zone not null,
  deleted_at timestamp with time zone,
  constraint batches_num_images_check CHECK ((num_images >= 1)),
  constraint batches_pkey PRIMARY KEY (id)
);

create table bus_incarnation (
  name text not null,
  incarnation text not null,
  head bigint default 0 not null,
  losses integer default 0 not null,
  rewound integer default 0 not null,
  constraint bus_incarnation_check CHECK ((rewound <= losses)),
  constraint bus_incarnation_pkey PRIMARY KEY (name)
);

create table chats (
  id uuid not null,
  user_id uuid not null,
  title text not null,
  message_count integer default 0 not null,
  last_message_at timestamp with time zone,
  created_at timestamp with time zone not null,
  deleted_at timestamp with time zone,
  constraint chats_check CHECK (((message_count = 0) = (last_message_at IS NULL))),
  constraint chats_message_count_check CHECK ((message_count >= 0)),
  constraint chats_pkey PRIMARY KEY (id),
  constraint chats_title_check CHECK (((char_length(title) >= 1) AND (char_length(title) <= 200)))
);

create table chores (
  name text not null,
  at timestamp with time zone not null,
  constraint chores_pkey PRIMARY KEY (name)
);

create table commits (
  id uuid not null,
  at timestamp with time zone default now() not null,
  answer jsonb not null,
  constraint commits_pkey PRIMARY KEY (id)
);

create table condemned (
  key text not null,
  at timestamp with time zone not null,
  doomed boolean default false not null,
  constraint condemned_pkey PRIMARY KEY (key)
);

create table endpoints (
  id uuid not null,
  user_id uuid not null,
  url text not null,
  events text[] not null,
  ordered boolean not null,
  secret text not null,
  previous_secret text,
  previous_until timestamp with time zone,
  cursor bigint not null,
  version bigint default 1 not null,
  failing_since timestamp with time zone,
  gone_at timestamp with time zone,
  disabled_at timestamp with time zone,
  disabled_reason text,
  created_at timestamp with time zone not null,
  deleted_at timestamp with time zone,
  constraint endpoints_check CHECK (((previous_secret IS NULL) = (previous_until IS NULL))),
  constraint endpoints_check1 CHECK (((disabled_at IS NULL) = (disabled_reason IS NULL))),
  constraint endpoints_check2 CHECK (((gone_at IS NULL) OR (failing_since IS NOT NULL))),
  constraint endpoints_cursor_check CHECK ((cursor >= 0)),
  constraint endpoints_disabled_reason_check CHECK ((disabled_reason = ANY (ARRAY['user'::text, 'failing'::text, 'gone'::text]))),
  constraint endpoints_events_check CHECK (((cardinality(events) >= 1) AND (cardinality(events) <= 100))),
  constraint endpoints_pkey PRIMARY KEY (id),
  constraint endpoints_url_check CHECK (((char_length(url) >= 1) AND (char_length(url) <= 2000))),
  constraint endpoints_version_check CHECK ((version >= 1))
);

create table facts (
  stream_id uuid not null,
  seq bigint not null,
  owner_id uuid not null,
  owner_seq bigint not null,
  id uuid not null,
  type text not null,
  at timestamp with time zone not null,
  actor_kind text not null,
  actor_id uuid not null,
  data jsonb not null,
  traceparent text,
  constraint facts_owner_id_owner_seq_key UNIQUE (owner_id, owner_seq),
  constraint facts_owner_seq_check CHECK ((owner_seq >= 1)),
  constraint facts_pkey PRIMARY KEY (stream_id, seq),
  constraint facts_seq_check CHECK ((seq >= 1))
);

create table hook_deliveries (
  provider text not null,
  id text not null,
  received_at timestamp with time zone not null,
  constraint hook_deliveries_id_check CHECK (((char_length(id) >= 1) AND (char_length(id) <= 255))),
  constraint hook_deliveries_pkey PRIMARY KEY (provider, id)
);

create table idempotency (
  user_id uuid not null,
  route text not null,
  key text not null,
  body_hash text not null,
  unit uuid not null,
  status integer not null,
  answer jsonb not null,
  created_at timestamp with time zone default now() not null,
  constraint idempotency_pkey PRIMARY KEY (user_id, route, key)
);

create table inbox (
  target uuid not null,
  source uuid not null,
  source_version bigint not null,
  n integer not null,
  event jsonb not null,
  created_at timestamp with time zone default now() not null,
  constraint inbox_pkey PRIMARY KEY (target, source, source_version, n)
);

create table jobs (
  id uuid not null,
  user_id uuid not null,
  chat_id uuid,
  option_id uuid,
  batch_id uuid,
  batch_index integer,
  retry_of uuid,
  tool_type text not null,
  model_key text not null,
  provider text not null,
  prompt text not null,
  params jsonb not null,
  inputs text[] default '{}'::text[] not null,
  created_at timestamp with time zone not null,
  alternatives jsonb default '[]'::jsonb not null,
  deleted_at timestamp with time zone,
  constraint jobs_check CHECK (((batch_id IS NULL) = (batch_index IS NULL))),
  constraint jobs_pkey PRIMARY KEY (id)
);

create table messages (
  id uuid not null,
  chat_id uuid not null,
  author_type text not null,
  content_text text,
  render_payload jsonb default '[]'::jsonb not null,
  attachments uuid[] default '{}'::uuid[] not null,
  created_at timestamp with time zone not null,
  constraint messages_author_type_check CHECK ((author_type = ANY (ARRAY['user'::text, 'assistant'::text]))),
  constraint messages_check CHECK (((author_type = 'assistant'::text) OR (content_text IS NOT NULL))),
  constraint messages_pkey PRIMARY KEY (id)
);

create table options (
  id uuid not null,
  chat_id uuid not null,
  message_id uuid not null,
  user_id uuid not null,
  "position" integer not null,
  tool_type text not null,
  model_key text not null,
  label text not null,
  description text not null,
  prompt text not null,
  enhanced_prompt text not null,
  params jsonb not null,
  attachments uuid[] default '{}'::uuid[] not null,
  created_at timestamp with time zone not null,
  constraint options_pkey PRIMARY KEY (id),
  constraint options_position_check CHECK (("position" >= 0))
);

create table outputs (
  id uuid not null,
  job_id uuid not null,
  user_id uuid not null,
  "position" integer not null,
  sha256 text not null,
  mime text not null,
  size_bytes bigint not null,
  raw_key text not null,
  min_key text not null,
  thumbnails jsonb default '[]'::jsonb not null,
  created_at timestamp with time zone not null,
  constraint outputs_job_id_position_key UNIQUE (job_id, "position"),
  constraint outputs_pkey PRIMARY KEY (id),
  constraint outputs_position_check CHECK (("position" >= 0)),
  constraint outputs_size_bytes_check CHECK ((size_bytes > 0))
);

create table relay_claims (
  stream_id uuid not null,
  node uuid not null,
  expires_at timestamp with time zone not null,
  constraint relay_claims_pkey PRIMARY KEY (stream_id)
);

create table simulated_submits (
  attempt text not null,
  ref text not null,
  submitted_at timestamp with time zone not null,
  canceled_at timestamp with time zone,
  request text,
  constraint simulated_submits_canceled_later CHECK ((canceled_at >= submitted_at)),
  constraint simulated_submits_pkey PRIMARY KEY (attempt),
  constraint simulated_submits_ref_signed CHECK ((ref ~~ 'sim1.%'::text))
);

create table streams (
  id uuid not null,
  owner_id uuid not null,
  seq bigint default 0 not null,
  published bigint default 0 not null,
  constraint streams_check CHECK (((published >= 0) AND (published <= seq))),
  constraint streams_pkey PRIMARY KEY (id)
) with (fillfactor=70);

create table tickets (
  hash text not null,
  user_id uuid not null,
  streams text[] not null,
  created_at timestamp with time zone not null,
  use_by timestamp with time zone not null,
  used_at timestamp with time zone,
  expires_at timestamp with time zone not null,
  constraint tickets_hash_check CHECK ((hash ~ '^[0-9a-f]{64}$'::text)),
  constraint tickets_pkey PRIMARY KEY (hash),
  constraint tickets_streams_check CHECK ((cardinality(streams) > 0))
);

create table transitions (
  actor_id uuid not null,
  version bigint not null,
  at timestamp with time zone not null,
  event text not null,
  from_state text,
  to_state text not null,
  unit uuid not null,
  effects jsonb default '[]'::jsonb not null,
  folded text[] default '{}'::text[] not null,
  reason text,
  constraint transitions_pkey PRIMARY KEY (actor_id, version, at)
) partition by RANGE (at);

create table turns (
  account text not null,
  owner_id uuid not null,
  waiting integer default 0 not null,
  virtual_time double precision default 0 not null,
  constraint turns_pkey PRIMARY KEY (account, owner_id),
  constraint turns_waiting_check CHECK ((waiting >= 0))
) with (fillfactor=50);

create table users (
  id uuid not null,
  email text,
  password_hash text,
  role text default 'user'::text not null,
  owner_seq bigint default 0 not null,
  created_at timestamp with time zone default now() not null,
  deleted_at timestamp with time zone,
  erased_at timestamp with time zone,
  retention jsonb default '{}'::jsonb not null,
  constraint users_check CHECK (((deleted_at IS NULL) OR ((email IS NULL) AND (password_hash IS NULL)))),
  constraint users_check1 CHECK (((erased_at IS NULL) OR (deleted_at IS NOT NULL))),
  constraint users_email_key UNIQUE (email),
  constraint users_owner_seq_check CHECK ((owner_seq >= 0)),
  constraint users_pkey PRIMARY KEY (id),
  constraint users_role_check CHECK ((role = ANY (ARRAY['user'::text, 'operator'::text, 'admin'::text])))
);

alter table attachments add constraint attachments_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id);

alter table batches add constraint batches_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id);

alter table chats add constraint chats_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id);

alter table endpoints add constraint endpoints_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id);

alter table jobs add constraint jobs_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES batches(id);

alter table jobs add constraint jobs_chat_id_fkey FOREIGN KEY (chat_id) REFERENCES chats(id);

alter table jobs add constraint jobs_option_id_fkey FOREIGN KEY (option_id) REFERENCES options(id);

alter table jobs add constraint jobs_retry_of_fkey FOREIGN KEY (retry_of) REFERENCES jobs(id);

alter table jobs add constraint jobs_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id);

alter table messages add constraint messages_chat_id_fkey FOREIGN KEY (chat_id) REFERENCES chats(id);

alter table options add constraint options_chat_id_fkey FOREIGN KEY (chat_id) REFERENCES chats(id);

alter table options add constraint options_message_id_fkey FOREIGN KEY (message_id) REFERENCES messages(id);

alter table options add constraint options_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id);

alter table outputs add constraint outputs_job_id_fkey FOREIGN KEY (job_id) REFERENCES jobs(id);

alter table tickets add constraint tickets_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id);

CREATE INDEX actors_by_object ON public.actors USING btree (owner_id, ((snapshot #>> '{context,object,sha256}'::text[]))) WHERE (kind = 'attachment'::text);

CREATE INDEX actors_finished ON public.actors USING btree (kind, finished_at) WHERE (finished_at IS NOT NULL);

CREATE INDEX actors_live_by_stream ON public.actors USING btree (kind, stream_id) WHERE (finished_at IS NULL);

CREATE INDEX actors_movable ON public.actors USING btree (account, id) WHERE ((state = 'queued'::text) AND (parked_at IS NULL) AND (((snapshot -> 'context'::text) -> 'alternatives'::text) <> '[]'::jsonb));

CREATE INDEX actors_parked ON public.actors USING btree (parked_at) WHERE (parked_at IS NOT NULL);

CREATE INDEX actors_turn ON public.actors USING btree (account, owner_id, id) WHERE ((state = 'queued'::text) AND (account IS NOT NULL) AND (parked_at IS NULL));

CREATE INDEX actors_wake ON public.actors USING btree (wake_at) WHERE (wake_at IS NOT NULL);

CREATE INDEX attachments_by_age ON public.attachments USING btree (created_at) WHERE (deleted_at IS NULL);

CREATE INDEX attachments_by_user ON public.attachments USING btree (user_id);

CREATE INDEX attachments_deleted ON public.attachments USING btree (deleted_at) WHERE (deleted_at IS NOT NULL);

CREATE INDEX batches_by_user ON public.batches USING btree (user_id, created_at DESC, id DESC);

CREATE INDEX batches_deleted ON public.batches USING btree (deleted_at) WHERE (deleted_at IS NOT NULL);

CREATE INDEX chats_by_age ON public.chats USING btree (created_at) WHERE (deleted_at IS NULL);

CREATE INDEX chats_by_user ON public.chats USING btree (user_id, created_at DESC, id DESC) WHERE (deleted_at IS NULL);

CREATE INDEX chats_deleted ON public.chats USING btree (deleted_at) WHERE (deleted_at IS NOT NULL);

CREATE INDEX commits_by_age ON public.commits USING btree (at);

CREATE INDEX condemned_by_age ON public.condemned USING btree (at);

CREATE INDEX deliveries_aside ON public.actors USING btree (stream_id, created_at, id) WHERE ((kind = 'delivery'::text) AND (state = 'pending'::text) AND (parked_at IS NULL) AND (NOT (((snapshot #> '{context,redeliveryOf}'::text[]) = 'null'::jsonb) AND ((snapshot #> '{context,event,seq}'::text[]) <> 'null'::jsonb))));

CREATE INDEX deliveries_by_endpoint ON public.actors USING btree (stream_id, created_at DESC, id DESC) WHERE (kind = 'delivery'::text);

CREATE INDEX deliveries_by_status ON public.actors USING btree (stream_id, status, created_at DESC, id DESC) WHERE (kind = 'delivery'::text);

CREATE INDEX deliveries_open ON public.actors USING btree (stream_id, ((snapshot #>> '{context,event,stream}'::text[])), (((snapshot #> '{context,event,seq}'::text[]))::bigint)) WHERE ((kind = 'delivery'::text) AND (finished_at IS NULL) AND (parked_at IS NULL) AND ((snapshot #> '{context,redeliveryOf}'::text[]) = 'null'::jsonb) AND ((snapshot #> '{context,event,seq}'::text[]) <> 'null'::jsonb));

CREATE INDEX deliveries_pending ON public.actors USING btree (stream_id, created_at, id) WHERE ((kind = 'delivery'::text) AND (state = 'pending'::text) AND (parked_at IS NULL));

CREATE INDEX deliveries_sending ON public.actors USING btree (stream_id) WHERE ((kind = 'delivery'::text) AND (state = 'sending'::text));

CREATE INDEX endpoints_by_user ON public.endpoints USING btree (user_id, created_at DESC, id DESC);

CREATE INDEX endpoints_deleted ON public.endpoints USING btree (deleted_at) WHERE (deleted_at IS NOT NULL);

CREATE INDEX endpoints_failing ON public.endpoints USING btree (failing_since) WHERE ((failing_since IS NOT NULL) AND (disabled_at IS NULL) AND (deleted_at IS NULL));

CREATE INDEX facts_rendered ON public.facts USING btree (((data ->> 'model_key'::text)), ((data ->> 'tool_type'::text)), at DESC) WHERE (type = 'job.rendered'::text);

CREATE INDEX hook_deliveries_by_age ON public.hook_deliveries USING btree (received_at);

CREATE INDEX idempotency_by_age ON public.idempotency USING btree (created_at);

CREATE INDEX inbox_by_age ON public.inbox USING btree (created_at);

CREATE UNIQUE INDEX jobs_by_batch ON public.jobs USING btree (batch_id, batch_index) WHERE (batch_id IS NOT NULL);

CREATE INDEX jobs_by_chat ON public.jobs USING btree (chat_id, created_at DESC, id DESC) WHERE (chat_id IS NOT NULL);

CREATE INDEX jobs_by_input ON public.jobs USING gin (inputs) WHERE (inputs <> '{}'::text[]);

CREATE INDEX jobs_by_option ON public.jobs USING btree (option_id) WHERE (option_id IS NOT NULL);

CREATE INDEX jobs_by_retried ON public.jobs USING btree (retry_of) WHERE (retry_of IS NOT NULL);

CREATE INDEX jobs_by_user ON public.jobs USING btree (user_id, created_at DESC, id DESC);

CREATE INDEX jobs_deleted ON public.jobs USING btree (deleted_at) WHERE (deleted_at IS NOT NULL);

CREATE INDEX messages_by_chat ON public.messages USING btree (chat_id, created_at, id);

CREATE INDEX options_by_attachment ON public.options USING gin (attachments) WHERE (attachments <> '{}'::uuid[]);

CREATE INDEX options_by_chat ON public.options USING btree (chat_id, created_at, id);

CREATE INDEX options_by_message ON public.options USING btree (message_id, "position");

CREATE INDEX outputs_by_object ON public.outputs USING btree (user_id, sha256);

CREATE INDEX simulated_submits_request ON public.simulated_submits USING btree (request, submitted_at) WHERE (request IS NOT NULL);

CREATE INDEX streams_unpublished ON public.streams USING btree (id) WHERE (published < seq);

CREATE INDEX tickets_by_end ON public.tickets USING btree (expires_at);

CREATE INDEX tickets_by_user ON public.tickets USING btree (user_id);

CREATE INDEX tickets_unused ON public.tickets USING btree (use_by) WHERE (used_at IS NULL);

CREATE INDEX turns_next ON public.turns USING btree (account, virtual_time) WHERE (waiting > 0);

CREATE INDEX users_deleted ON public.users USING btree (deleted_at) WHERE (deleted_at IS NOT NULL);

CREATE INDEX users_to_erase ON public.users USING btree (deleted_at) WHERE ((deleted_at IS NOT NULL) AND (erased_at IS NULL));

CREATE INDEX users_with_retention ON public.users USING btree (id) WHERE (retention <> '{}'::jsonb);

CREATE OR REPLACE FUNCTION public.account_grant(a accounts, at timestamp with time zone)
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select least(
    case when a.paused_reason is null then 1000000 when a.paused_until <= at then 1 else 0 end,
    coalesce(floor(bucket_tokens(a.submits_per_minute, a.submit_tokens, a.submits_at, at)), 1000000))::integer $function$;

CREATE OR REPLACE FUNCTION public.account_opens(a accounts, at timestamp with time zone)
 RETURNS timestamp with time zone
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select case when account_grant(a, at) > 0 then null else greatest(
    a.paused_until,
    at + make_interval(secs => (1 - bucket_tokens(a.submits_per_minute, a.submit_tokens, a.submits_at, at))
      / bucket_refill(a.submits_per_minute))) end $function$;

CREATE OR REPLACE FUNCTION public.bucket_refill(rate double precision)
 RETURNS double precision
 LANGUAGE sql
 IMMUTABLE STRICT
AS $function$
  select greatest(rate - greatest(1, rate / 10), rate / 2) / 60 $function$;

CREATE OR REPLACE FUNCTION public.bucket_size(rate double precision)
 RETURNS double precision
 LANGUAGE sql
 IMMUTABLE STRICT
AS $function$
  select greatest(1, rate / 10) $function$;

CREATE OR REPLACE FUNCTION public.bucket_tokens(rate double precision, tokens double precision, since timestamp with time zone, at timestamp with time zone)
 RETURNS double precision
 LANGUAGE sql
 IMMUTABLE STRICT
AS $function$
  select least(bucket_size(rate), tokens + greatest(0, extract(epoch from at - since)) * bucket_refill(rate)) $function$;

CREATE OR REPLACE FUNCTION public.commit_units(p_group uuid, p jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION public.ensure_partitions(ahead integer)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  month date;
begin
  perform pg_advisory_xact_lock(hashtext('darkroom.partitions'));
  for month in
    select generate_series(date_trunc('month', now() at time zone 'utc') - interval '1 month',
                           date_trunc('month', now() at time zone 'utc') + make_interval(months => ahead),
                           interval '1 month')::date
  loop
    if to_regclass('transitions_' || to_char(month, 'YYYYMM')) is null then
      execute format('create table %I partition of transitions for values from (%L) to (%L)',
                     'transitions_' || to_char(month, 'YYYYMM'),
                     to_char(month, 'YYYY-MM-DD') || ' 00:00:00+00',
                     to_char(month + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00');
    end if;
  end loop;
end $function$;

CREATE OR REPLACE FUNCTION public.judge_endpoints(p jsonb, was text[])
 RETURNS text[]
 LANGUAGE plpgsql
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION public.key_referenced(k text)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  select case
    when k ~ '^(media|attachments)/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/[0-9a-f]{64}[.]' then
      exists (
        select 1 from outputs o
        where o.user_id = split_part(k, '/', 2)::uuid and o.sha256 = split_part(split_part(k, '/', 3), '.', 1)
          and (k in (o.raw_key, o.min_key) or o.thumbnails @> jsonb_build_array(jsonb_build_object('key', k)))
      ) or exists (
        select 1 from actors a
        where a.kind = 'attachment' and a.owner_id = split_part(k, '/', 2)::uuid
          and a.snapshot #>> '{context,object,sha256}' = split_part(split_part(k, '/', 3), '.', 1)
          and jsonb_path_exists(a.snapshot #> '{context,object}', '$.**.key ? (@ == $k)', jsonb_build_object('k', k))
      ) or exists (
        select 1 from jobs j where j.inputs <> '{}' and j.inputs @> array[k]
      )
    when k like 'uploads/%' then
      exists (
        select 1 from attachments t join actors a on a.id = t.id where t.upload_key = k and a.finished_at is null
      )
    else true
  end $function$;

CREATE OR REPLACE FUNCTION public.lease_checks(p_account text, wanted integer, OUT granted integer, OUT wait_ms integer)
 RETURNS record
 LANGUAGE plpgsql
AS $function$
declare
  a accounts;
  at timestamptz;
  held double precision;
begin
  select * into a from accounts where id = p_account for no key update;
  if a.checks_per_minute is null then
    granted := wanted;
    wait_ms := 0;
    return;
  end if;
  -- Read under the lock: instants of one account never go back.
  at := greatest(clock_timestamp(), a.checks_at);
  held := bucket_tokens(a.checks_per_minute, a.check_tokens, a.checks_at, at);
  granted := case when a.checks_at > clock_timestamp() then 0 else least(wanted, floor(held)) end;
  wait_ms := case when granted > 0 then 0 else ceil(1000 * (extract(epoch from at - clock_timestamp())
    + greatest(0, 1 - held) / bucket_refill(a.checks_per_minute))) end;
  update accounts set check_tokens = held - granted, checks_at = at where id = p_account;
end $function$;

CREATE OR REPLACE FUNCTION public.pause_account(a accounts, reason text, ms double precision, most_ms double precision, pace integer, is_probe boolean, at timestamp with time zone)
 RETURNS accounts
 LANGUAGE plpgsql
 IMMUTABLE
AS $function$
declare
  fresh boolean := a.paused_reason is null or is_probe;
  ends timestamptz := at + make_interval(secs =>
    greatest(ms, least(most_ms, ms * 2 ^ least(20, case when fresh then a.strikes else greatest(0, a.strikes - 1) end))) / 1000);
begin
  if a.paused_until is null or is_probe or ends > a.paused_until then
    a.paused_reason := reason;
    a.paused_until := ends;
  end if;
  a.paused_at := coalesce(a.paused_at, at);
  if fresh then
    a.strikes := a.strikes + 1;
    a.probe := null;
  end if;
  if pace is not null then
    a.pace_ms := pace;
    a.paced_until := at + interval '5 minutes';
  end if;
  return a;
end $function$;

CREATE OR REPLACE FUNCTION public.queue_position(p_account text, p_owner uuid, p_job uuid)
 RETURNS integer
 LANGUAGE sql
 STABLE
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION public.write_endpoints(p jsonb, outcome text[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
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
end $function$;
