-- Appends a batch of events. One appender at a time holds the lock until its transaction ends, so positions are
-- dense and follow commit order, and a reader can simply ask for "position > last" without ever missing one
-- (docs/adr/0002). The lock is the last one a transaction takes, and the caller commits right after.
create function append_events(
  p_streams text[], p_versions int[], p_types text[], p_schemas smallint[], p_tenants text[], p_data jsonb[],
  p_occurred_at timestamptz
) returns bigint language plpgsql as $$
declare
  head bigint;
begin
  perform pg_advisory_xact_lock(8402, 1);
  select coalesce(max(position), 0) into head from events;
  insert into events (position, stream, version, type, schema, tenant, data, occurred_at)
    select head + e.n, e.stream, e.version, e.type, e.schema, e.tenant, e.data, p_occurred_at
    from unnest(p_streams, p_versions, p_types, p_schemas, p_tenants, p_data)
      with ordinality as e (stream, version, type, schema, tenant, data, n);
  head := head + cardinality(p_streams);
  perform pg_notify('tollbook_events', head::text);
  return head;
end $$;

-- Gateways compile the catalogue anew when something was published.
create function notify_catalogue() returns trigger language plpgsql as $$
begin
  perform pg_notify('tollbook_catalogue', tg_table_name);
  return null;
end $$;
create trigger tenants_published after insert or update on tenants for each statement execute function notify_catalogue();
create trigger routes_published after insert or update on routes for each statement execute function notify_catalogue();
create trigger tariffs_published after insert or update on tariffs for each statement execute function notify_catalogue();
