-- What gateways cannot serve cannot be published: decided here, where publications of several processes meet.

-- A route belongs to a tenant, has a tariff, and is told from the tenant's other routes by method and pattern: parameters
-- of other names are the same pattern. The tenant's row is locked, so that of two that clash one is refused.
create function check_route() returns trigger language plpgsql as $$
declare
  other text;
begin
  perform 1 from tenants where id = new.tenant for no key update;
  if not found then
    raise exception 'tenant % is not registered', new.tenant using errcode = '23503', constraint = 'routes_tenant';
  end if;
  if not exists (select 1 from tariffs where tenant = new.tenant and id = new.config->>'tariff') then
    raise exception 'tariff % of % is not published', new.config->>'tariff', new.tenant
      using errcode = '23503', constraint = 'routes_tariff';
  end if;
  select id into other from routes r
    where r.tenant = new.tenant and r.id <> new.id
      and pattern_shape(r.config->>'pattern') = pattern_shape(new.config->>'pattern')
      and r.config->'methods' ?| array(select jsonb_array_elements_text(new.config->'methods'))
    limit 1;
  if found then
    raise exception 'route % serves % already', other, new.config->>'pattern'
      using errcode = '23P01', constraint = 'routes_pattern';
  end if;
  return null;
end $$;

create function pattern_shape(pattern text) returns text language sql immutable parallel safe
  return regexp_replace(pattern, ':[A-Za-z0-9_]+', ':', 'g');

create trigger routes_checked after insert or update on "routes" for each row execute function check_route();

-- A withdrawn route is news to the gateways too.
create trigger routes_withdrawn after delete on "routes" for each statement execute function notify_catalogue();
