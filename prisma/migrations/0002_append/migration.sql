-- Appends a batch of events. One appender at a time holds the lock until its transaction ends, so positions are
-- dense and follow commit order, and a reader can simply ask for "position > last" without ever missing one
-- (docs/adr/0002). The lock is the last one a transaction takes, and the caller commits right after.
-- Each argument is a list, one item a line: none of them can hold a line break (JSON writes it as \n), and a list of
-- lines costs both sides less than an array literal, whose items are quoted and escaped.
create function append_events(
  p_streams text, p_versions text, p_types text, p_schemas text, p_tenants text, p_data text, p_occurred_at timestamptz
) returns bigint language plpgsql as $$
declare
  head bigint;
  streams constant text[] := string_to_array(p_streams, e'\n');
  data constant text[] := string_to_array(p_data, e'\n');
begin
  if cardinality(streams) <> cardinality(data) then
    raise exception 'an event has a line break' using errcode = 'data_exception';
  end if;
  perform pg_advisory_xact_lock(8402, 1);
  select coalesce(max(position), 0) into head from events;
  insert into events (position, stream, version, type, schema, tenant, data, occurred_at)
    select head + e.n, e.stream, e.version::int, e.type, e.schema::smallint, e.tenant, e.data::jsonb, p_occurred_at
    from unnest(streams, string_to_array(p_versions, e'\n'), string_to_array(p_types, e'\n'),
      string_to_array(p_schemas, e'\n'), string_to_array(p_tenants, e'\n'), data)
      with ordinality as e (stream, version, type, schema, tenant, data, n);
  head := head + cardinality(streams);
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
