-- Darkroom's spine: owners, virtual actors with their inbox and transitions, streams of facts,
-- admission, idempotency, and the rows of the slices.

create table users (
  id uuid primary key,
  email text unique,
  password_hash text,
  role text not null default 'user' check (role in ('user', 'operator', 'admin')),
  owner_seq bigint not null default 0 check (owner_seq >= 0),
  created_at timestamptz not null default now()
);

-- Chats, messages, options.

create table chats (
  id uuid primary key,
  user_id uuid not null references users (id),
  title text not null check (char_length(title) between 1 and 200),
  message_count integer not null default 0 check (message_count >= 0),
  last_message_at timestamptz,
  created_at timestamptz not null,
  deleted_at timestamptz,
  check ((message_count = 0) = (last_message_at is null))
);
create index chats_by_user on chats (user_id, created_at desc, id desc) where deleted_at is null;
create index chats_deleted on chats (deleted_at) where deleted_at is not null;

create table messages (
  id uuid primary key,
  chat_id uuid not null references chats (id),
  author_type text not null check (author_type in ('user', 'assistant')),
  content_text text,
  render_payload jsonb not null default '[]',
  attachments uuid[] not null default '{}',
  created_at timestamptz not null,
  check (author_type = 'assistant' or content_text is not null)
);
create index messages_by_chat on messages (chat_id, created_at, id);

create table options (
  id uuid primary key,
  chat_id uuid not null references chats (id),
  message_id uuid not null references messages (id),
  user_id uuid not null references users (id),
  position integer not null check (position >= 0),
  tool_type text not null,
  model_key text not null,
  label text not null,
  description text not null,
  prompt text not null,
  enhanced_prompt text not null,
  params jsonb not null,
  attachments uuid[] not null default '{}',
  created_at timestamptz not null
);
create index options_by_chat on options (chat_id, created_at, id);
create index options_by_message on options (message_id, position);

create table batches (
  id uuid primary key,
  user_id uuid not null references users (id),
  prompt text not null,
  num_images integer not null check (num_images >= 1),
  model_key text not null,
  created_at timestamptz not null
);
create index batches_by_user on batches (user_id, created_at desc, id desc);

create table jobs (
  id uuid primary key,
  user_id uuid not null references users (id),
  chat_id uuid references chats (id),
  option_id uuid references options (id),
  batch_id uuid references batches (id),
  batch_index integer,
  retry_of uuid references jobs (id),
  tool_type text not null,
  model_key text not null,
  provider text not null,
  prompt text not null,
  params jsonb not null,
  inputs text[] not null default '{}',
  created_at timestamptz not null,
  check ((batch_id is null) = (batch_index is null))
);
create index jobs_by_user on jobs (user_id, created_at desc, id desc);
create index jobs_by_chat on jobs (chat_id, created_at desc, id desc) where chat_id is not null;
create unique index jobs_by_batch on jobs (batch_id, batch_index) where batch_id is not null;

create table attachments (
  id uuid primary key,
  user_id uuid not null references users (id),
  file_name text not null,
  content_type text not null,
  size bigint not null check (size > 0),
  upload_key text not null unique,
  created_at timestamptz not null
);

-- What jobs made. Objects are named by owner and sha256; an object lives while a row names it.
create table outputs (
  id uuid primary key,
  job_id uuid not null references jobs (id),
  user_id uuid not null,
  position integer not null check (position >= 0),
  sha256 text not null,
  mime text not null,
  size_bytes bigint not null check (size_bytes > 0),
  raw_key text not null,
  min_key text not null,
  thumbnails jsonb not null default '[]',
  created_at timestamptz not null,
  unique (job_id, position)
);
create index outputs_by_object on outputs (user_id, sha256);

-- Actors.

create table actors (
  id uuid primary key,
  kind text not null,
  machine_version integer not null check (machine_version >= 1),
  state text not null,
  status text,
  snapshot jsonb not null,
  version bigint not null check (version >= 1),
  wake_at timestamptz,
  owner_id uuid not null,
  stream_id uuid not null,
  account text,
  created_at timestamptz not null,
  finished_at timestamptz,
  parked_at timestamptz,
  parked_reason text,
  check (finished_at is null or wake_at is null),
  check ((parked_at is null) = (parked_reason is null)),
  check (parked_at is null or wake_at is null)
) with (fillfactor = 80);
create index actors_wake on actors (wake_at) where wake_at is not null;
create index actors_turn on actors (account, owner_id, id) where state = 'queued' and account is not null and parked_at is null;
create index actors_live on actors (kind) where finished_at is null;
create index actors_parked on actors (parked_at) where parked_at is not null;

-- Messages between actors: written in the sender's commit, drained in one step of the target.
create table inbox (
  target uuid not null,
  source uuid not null,
  source_version bigint not null,
  n integer not null,
  event jsonb not null,
  created_at timestamptz not null default now(),
  primary key (target, source, source_version, n)
);
create index inbox_by_age on inbox (created_at);

-- Every step of every actor: the audit, the timeline, the inspector's history.
create table transitions (
  actor_id uuid not null,
  version bigint not null,
  at timestamptz not null,
  event text not null,
  from_state text,
  to_state text not null,
  unit uuid not null,
  effects jsonb not null default '[]',
  folded text[] not null default '{}',
  primary key (actor_id, version, at)
) partition by range (at);

-- Makes the monthly partitions from last month up to `ahead` months from now. Safe to run at any time.
create function ensure_partitions(ahead integer) returns void language plpgsql as $$
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
end $$;
select ensure_partitions(3);

-- Streams and facts.

create table streams (
  id uuid primary key,
  owner_id uuid not null,
  seq bigint not null default 0,
  published bigint not null default 0,
  check (published between 0 and seq)
) with (fillfactor = 70);
create index streams_unpublished on streams (id) where published < seq;

create table facts (
  stream_id uuid not null,
  seq bigint not null check (seq >= 1),
  owner_id uuid not null,
  owner_seq bigint not null check (owner_seq >= 1),
  id uuid not null,
  type text not null,
  at timestamptz not null,
  actor_kind text not null,
  actor_id uuid not null,
  data jsonb not null,
  primary key (stream_id, seq),
  unique (owner_id, owner_seq)
);

-- Which node publishes a stream's facts at the moment.
create table relay_claims (
  stream_id uuid primary key,
  node uuid not null,
  expires_at timestamptz not null
);

-- The incarnation of the durable bus that `published` speaks of.
create table bus_incarnation (
  name text primary key,
  incarnation text not null
);

-- Admission: provider accounts and whose turn it is (start-time fair queueing between owners).

create table accounts (
  id text primary key,
  slots integer not null check (slots >= 0),
  in_use integer not null default 0 check (in_use >= 0),
  virtual_time double precision not null default 0
) with (fillfactor = 50);

create table turns (
  account text not null,
  owner_id uuid not null,
  waiting integer not null default 0 check (waiting >= 0),
  virtual_time double precision not null default 0,
  primary key (account, owner_id)
) with (fillfactor = 50);
create index turns_next on turns (account, virtual_time) where waiting > 0;

-- Idempotency keys with the answer they got, and the outcomes of group commits.

create table idempotency (
  user_id uuid not null,
  route text not null,
  key text not null,
  body_hash text not null,
  unit uuid not null,
  status integer not null,
  answer jsonb not null,
  created_at timestamptz not null default now(),
  primary key (user_id, route, key)
);
create index idempotency_by_age on idempotency (created_at);

-- One row per group: asked again under the same id, `commit_units` answers what it answered first.
create table commits (
  id uuid primary key,
  at timestamptz not null default now(),
  answer jsonb not null
);
create index commits_by_age on commits (at);
