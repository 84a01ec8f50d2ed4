-- Webhook deliveries of providers that were acted on: one that comes again within a day does nothing.
create table hook_deliveries (
  provider text not null,
  -- The provider's own, the same for every redelivery.
  id text not null check (char_length(id) between 1 and 255),
  received_at timestamptz not null,
  primary key (provider, id)
);
create index hook_deliveries_by_age on hook_deliveries (received_at);
