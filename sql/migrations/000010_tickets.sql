-- Tickets for live streams: what a URL has in the place of a token. Only their SHA-256 is kept.
create table tickets (
  hash text primary key check (hash ~ '^[0-9a-f]{64}$'),
  user_id uuid not null references users (id),
  streams text[] not null check (cardinality(streams) > 0),
  created_at timestamptz not null,
  -- It has to be used by then for the first time.
  use_by timestamptz not null,
  used_at timestamptz,
  -- When the token expires that it was had for.
  expires_at timestamptz not null
);
create index tickets_by_user on tickets (user_id);
create index tickets_by_end on tickets (expires_at);
create index tickets_unused on tickets (use_by) where used_at is null;
