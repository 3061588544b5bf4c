import type { Pool } from 'pg';

export interface TotalsOf {
  readonly tenant: string;
  readonly customer?: string;
  readonly meter?: string;
  /** From, inclusive, and to, exclusive: when it was used. */
  readonly from: Date;
  readonly to: Date;
  /** One total for each UTC day, or one for the whole time. */
  readonly per: 'day' | 'whole';
}

export interface UsageTotal {
  readonly customer: string;
  readonly meter: string;
  /** UTC. */
  readonly day?: string;
  /** Events that count. */
  readonly events: string;
  /** Decimal. */
  readonly total: string;
}

/**
 * An event that another one replaces does not count, nor does what takes it back. Values of `latest` that have one time are told
 * apart by source and id, so that the order in which they came decides nothing.
 */
const TOTALS = `
  select * from (
    select u.customer, m.key as meter, case when $6::boolean then (u.occurred_at at time zone 'UTC')::date::text end as day,
      count(*)::text as events,
      case max(meters.rules->>'aggregation')
        when 'count' then count(*)::text
        when 'unique' then count(distinct m.value)::text
        when 'sum' then trim_scale(sum(case when meters.rules->>'aggregation' = 'sum' then m.value::numeric end))::text
        when 'max' then trim_scale(max(case when meters.rules->>'aggregation' = 'max' then m.value::numeric end))::text
        else (array_agg(m.value order by u.occurred_at desc, u.source collate "C" desc, u.id collate "C" desc))[1]
      end as total
    from usage_events u
      cross join lateral jsonb_each_text(u.metered) m
      join meters on meters.tenant = u.tenant and meters.id = m.key
    where u.tenant = $1 and u.occurred_at >= $2 and u.occurred_at < $3
      and ($4::text is null or u.customer = $4) and ($5::text is null or m.key = $5)
      and not exists (select from usage_events r
        where r.tenant || ' ' || r.replaces = u.tenant || ' ' || u.source || ' ' || u.id and r.replaces is not null)
    group by 1, 2, 3) totals
  where $7::text[] is null or (customer, meter, coalesce(day, '')) > ($7[1], $7[2], $7[3])
  order by customer, meter, day limit $8`;

/** What names one total: customer, meter, and day or ''. */
export type TotalKey = readonly [customer: string, meter: string, day: string];

export function totalKey({ customer, day = '', meter }: UsageTotal): TotalKey {
  return [customer, meter, day];
}

/** By customer, meter and day, from after one of them; one more than `limit` if there is another page. */
export async function usageTotals(
  pool: Pick<Pool, 'query'>,
  { customer, from, meter, per, tenant, to }: TotalsOf,
  after?: TotalKey,
  limit?: number,
): Promise<UsageTotal[]> {
  const { rows } = await pool.query<{ [Name in keyof UsageTotal]-?: string | null }>({
    text: TOTALS,
    values: [
      ...[tenant, from, to, customer ?? null, meter ?? null, per === 'day', after ?? null],
      limit === undefined ? null : limit + 1,
    ],
  });
  return rows.map(({ day, ...total }) => ({ ...total, ...(day !== null && { day }) }) as UsageTotal);
}
