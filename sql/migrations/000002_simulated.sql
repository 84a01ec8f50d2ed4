-- What the simulated provider has billed: one row per attempt, written before the submit is answered.
create table simulated_submits (
  attempt text primary key,
  ref text not null,
  submitted_at timestamptz not null,
  canceled_at timestamptz,
  -- Fingerprint of what was asked for; only kept when a fault counts submits.
  request text,
  constraint simulated_submits_ref_signed check (ref like 'sim1.%'),
  constraint simulated_submits_canceled_later check (canceled_at >= submitted_at)
);

create index simulated_submits_request on simulated_submits (request, submitted_at) where request is not null;
