/**
 * What accounts of one tenant used, by period; the same whenever it is asked, because what is at or before a position of the log does not
 * change. `$1` tenant; `$2`…`$8` periods as columns: customer, beginning for matching, end, begin as shown, position up to which earlier
 * invoices have its usage (-1: none), the earlier cut's instant, this cut's instant; `$9` position of this cut.
 */
const PERIODS = `
  period as (select * from unnest($2::text[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[], $6::bigint[], $7::timestamptz[],
      $8::timestamptz[]) as p (customer, from_at, to_at, shown_from, seen, earlier_to, cut_to))`;

const SHOWN = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** Commitments: those before both numbers of this cut, without those before both of the earlier one (`$10`, by customer of `$11`). */
export const REQUESTS_USED = `
  with ${PERIODS},
  earlier as (select * from unnest($11::text[], $10::bigint[]) as e (customer, position))
  select c.customer, ${SHOWN('p.shown_from')} as "from", ${SHOWN('p.to_at')} as "to", c.route, c.tariff, c.tariff_version as version,
    count(*)::int as count, sum(c.charged)::text as charged,
    string_agg(sha256('\\x00'::bytea || convert_to('["' || c.id || '","' || c.ended_position || '","' || c.charged || '"]', 'UTF8')), ''::bytea
      order by c.ended_position) as leaves
  from commitments c
    join earlier e on e.customer = c.customer
    join period p on p.customer = c.customer and c.billed_at >= p.from_at and c.billed_at < p.to_at
  where c.tenant = $1 and c.customer = any($11::text[]) and c.state = 'delivered' and c.ended_position <= $9
    and c.billed_at < p.cut_to and not (c.ended_position <= e.position and c.billed_at < p.earlier_to)
  group by c.customer, p.shown_from, p.to_at, c.route, c.tariff, c.tariff_version`;

/** How a meter's values become one total, of those that a condition picks. What is sorted is only what its aggregation needs. */
const TOTAL = (which: string) => `
    case max(x.aggregation)
      when 'count' then count(*) filter (where ${which})::text
      when 'unique' then (count(distinct x.value) filter (where x.aggregation = 'unique' and ${which}))::text
      when 'sum' then trim_scale(sum(case when x.aggregation = 'sum' then x.value::numeric end) filter (where ${which}))::text
      when 'max' then trim_scale(max(case when x.aggregation = 'max' then x.value::numeric end) filter (where ${which}))::text
      else (array_agg(x.value order by x.occurred_at desc, x.source collate "C" desc, x.id collate "C" desc)
        filter (where x.aggregation = 'latest' and ${which}))[1]
    end`;

/**
 * Each event that is billed, as a row for each of its meters; `seen`: the position up to which earlier invoices have it. One that counts
 * in a month of its arrival which begins after the cut is on a later invoice. Months in which nothing came, or was taken back, since
 * the earlier cut are not read: nothing of them is billed. What counts by arrival may be from any month. What was taken back is put
 * together once, whatever the planner makes of statistics that are behind.
 */
const EVENTS = `
  with ${PERIODS},
  priced as (select distinct meter, case when customer = '' then null else customer end as customer from meter_prices
    where tenant = $1 and position <= $9),
  counting as (select m.id, m.rules->>'aggregation' as aggregation, m.rules->>'unit' as unit,
      m.rules->'late'->>'kind' = 'next_invoice' as by_arrival
    from meters m where m.tenant = $1 and exists (select from priced where meter = m.id)),
  gone as materialized (select split_part(u.replaces, ' ', 1) as source, substr(u.replaces, strpos(u.replaces, ' ') + 1) as id, b.position,
      u.leaf, u.line
    from usage_events u join usage_batches b on b.batch = u.batch and b.tenant = u.tenant
    where u.tenant = $1 and u.replaces is not null and b.position <= $9),
  taken_back as materialized (select t.customer, t.occurred_at, g.position
    from gone g join usage_events t on t.tenant = $1 and t.source = g.source and t.id = g.id
    where t.customer = any($10::text[])),
  changed as (select p.*, change.since
    from period p cross join lateral (select p.to_at > p.earlier_to
      or exists (select from usage_batches b where b.tenant = $1 and b.position > p.seen and b.position <= $9
        and b.from_at < p.to_at and b.to_at >= p.from_at)
      or exists (select from taken_back t where t.customer = p.customer and t.position > p.seen
        and t.occurred_at >= p.from_at and t.occurred_at < p.to_at) as since) change
    where change.since or exists (select from counting where by_arrival)),
  x as (
    select u.customer, c.id as meter, c.aggregation, c.unit, m.value, u.occurred_at, u.source, u.id, u.leaf, u.line, b.position,
      g.position as gone_at, g.leaf as gone_leaf, g.line as gone_line,
      coalesce(q.shown_from, p.shown_from) as shown_from, coalesce(q.to_at, p.to_at) as to_at, coalesce(q.seen, p.seen) as seen,
      coalesce(q.shown_from, p.shown_from) < p.cut_to as billed
    from usage_events u
      join usage_batches b on b.batch = u.batch and b.tenant = u.tenant
      cross join lateral jsonb_each_text(u.metered) m
      join counting c on c.id = m.key
      join changed p on p.customer = u.customer and u.occurred_at >= p.from_at and u.occurred_at < p.to_at
        and (p.since or c.by_arrival)
      left join period q on c.by_arrival and b.arrived_at >= p.to_at and q.customer = u.customer
        and b.arrived_at >= q.from_at and b.arrived_at < q.to_at
      left join gone g on g.source = u.source and g.id = u.id
    where u.tenant = $1 and u.customer = any($10::text[]) and b.position <= $9
      and not (c.by_arrival and b.arrived_at >= p.to_at and q.customer is null))`;

/**
 * Usage: the totals of each meter in each period as they were at the earlier cut and are at this one. An event that was replaced by a
 * batch at or before a cut does not count there. Items are the events that came between the cuts, then those that took one back.
 * Without need totals are not reckoned: of meters that have no price there are no rows.
 */
export const METERS_USED = `${EVENTS}
  select x.customer, x.meter, max(x.unit) as unit, ${SHOWN('x.shown_from')} as "from", ${SHOWN('x.to_at')} as "to",
    ${TOTAL('x.position <= x.seen and (x.gone_at is null or x.gone_at > x.seen)')} as before,
    ${TOTAL('x.gone_at is null')} as now,
    (count(*) filter (where x.position > x.seen) + count(*) filter (where x.gone_at > x.seen))::int as events,
    string_agg(x.leaf, ''::bytea order by x.position, x.line) filter (where x.position > x.seen) as added,
    string_agg(x.gone_leaf, ''::bytea order by x.gone_at, x.gone_line) filter (where x.gone_at > x.seen) as removed
  from x where x.billed
  group by x.customer, x.meter, x.shown_from, x.to_at, x.seen
  having count(*) filter (where x.position > x.seen) > 0 or count(*) filter (where x.gone_at > x.seen) > 0`;

/** Items of one line of usage, in the order of its root: `$11` meter, `$12` beginning of the period, `$13` after so many, `$14` most. */
export const METER_ITEMS = `${EVENTS},
  item as (
    select 0 as part, x.position as at, x.line, x.source, x.id, x.leaf from x
      where x.billed and x.meter = $11 and x.shown_from = $12 and x.position > x.seen
    union all
    select 1, x.gone_at, x.gone_line, x.source, x.id, x.gone_leaf from x
      where x.billed and x.meter = $11 and x.shown_from = $12 and x.gone_at > x.seen)
  select case part when 0 then 'counted' else 'replaced' end as what, source, id, at::text as position, line,
    encode(leaf, 'hex') as leaf
  from item order by part, at, line offset $13 limit $14`;

/** Items of one line of requests: `$12` route, `$13` tariff, `$14` its version, `$15` beginning of the period, `$16` after so many, `$17` most. */
export const REQUEST_ITEMS = `
  with ${PERIODS},
  earlier as (select * from unnest($11::text[], $10::bigint[]) as e (customer, position))
  select c.id, c.ended_position::text as position, c.charged::text as charged
  from commitments c
    join earlier e on e.customer = c.customer
    join period p on p.customer = c.customer and c.billed_at >= p.from_at and c.billed_at < p.to_at
  where c.tenant = $1 and c.customer = any($11::text[]) and c.state = 'delivered' and c.ended_position <= $9
    and c.billed_at < p.cut_to and not (c.ended_position <= e.position and c.billed_at < p.earlier_to)
    and c.route = $12 and c.tariff = $13 and c.tariff_version = $14 and p.shown_from = $15
  order by c.ended_position offset $16 limit $17`;
