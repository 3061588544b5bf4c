import type { Pool } from 'pg';
import type { CustomerId } from '../customers/account.js';
import type { Cut } from './invoice.js';

/** An account whose newest draft may be final, or for which a period may be over, as of a moment ago. */
export interface DueAccount {
  readonly tenant: string;
  readonly customer: CustomerId;
  /** How far the tenant's clock is ahead, milliseconds. */
  readonly offset: number;
  /** Of the newest invoice; 0 without one. */
  readonly sequence: number;
  /** The newest invoice, if it is a draft. */
  readonly draft?: { readonly id: string; readonly periodTo: number; readonly graceUntil: number };
  /** Of the newest that is final. */
  readonly after?: Cut;
}

interface Row {
  readonly tenant: string;
  readonly customer: CustomerId;
  readonly offset: string;
  readonly sequence: number | null;
  readonly draft: string | null;
  readonly period_to: Date;
  readonly grace_until: Date;
  readonly cut_position: string | null;
  readonly cut_to: Date | null;
}

/** Clocks of zones are as Postgres knows them, so the end of a month is taken two days early: whoever uses it decides exactly. */
const DUE = `
  select a.tenant, a.customer, coalesce(c.offset_ms, 0)::text as offset, i.sequence,
    case when i.state = 'draft' then i.id end as draft, i.period_to, i.grace_until, f.cut_position::text, f.cut_to
  from accounts a
  left join tenant_clocks c on c.tenant = a.tenant
  cross join lateral (select $1::timestamptz + make_interval(secs => coalesce(c.offset_ms, 0) / 1000.0) as now) as t
  left join lateral (select * from invoices i where i.tenant = a.tenant and i.customer = a.customer
    order by i.sequence desc limit 1) as i on true
  left join lateral (select * from invoices f where f.tenant = a.tenant and f.customer = a.customer and f.cut_to is not null
    order by f.sequence desc limit 1) as f on true
  where ($2::text is null or a.tenant = $2) and ($3::text[] is null or a.customer = any($3::text[]))
    and ($3::text[] is not null or i.state = 'draft' and i.grace_until <= t.now
      or (date_trunc('month', coalesce(case when i.state = 'draft' then i.period_to end, f.cut_to, a.opened_at) at time zone a.time_zone)
        + interval '1 month') at time zone a.time_zone - interval '2 days' <= t.now)
  order by a.tenant, a.customer`;

/** @param now the real time, epoch milliseconds @param of accounts that are told whether they are due or not */
export async function dueAccounts(
  pool: Pick<Pool, 'query'>,
  now: number,
  of?: { readonly tenant: string; readonly customers: readonly string[] },
): Promise<DueAccount[]> {
  const { rows } = await pool.query<Row>(DUE, [new Date(now), of?.tenant ?? null, of?.customers ?? null]);
  return rows.map((row) => ({
    ...{ tenant: row.tenant, customer: row.customer, offset: Number(row.offset), sequence: row.sequence ?? 0 },
    ...(row.draft !== null && {
      draft: { id: row.draft, periodTo: row.period_to.getTime(), graceUntil: row.grace_until.getTime() },
    }),
    ...(row.cut_to !== null && { after: { position: row.cut_position!, to: row.cut_to.toISOString() } }),
  }));
}

/** Accounts of tenants whose newest settings have a threshold. */
export async function accountsWithThreshold(
  pool: Pick<Pool, 'query'>,
): Promise<{ readonly tenant: string; readonly customer: CustomerId }[]> {
  const { rows } = await pool.query<{ tenant: string; customer: CustomerId }>(
    `with settings as (
       select t.id, (select e.data from events e where stream_key(e.stream) = stream_key('invoicing/' || t.id)
         and e.stream = 'invoicing/' || t.id order by e.version desc limit 1) as data
       from tenants t)
     select a.tenant, a.customer from accounts a join settings s on s.id = a.tenant and s.data ? 'threshold'
     order by a.tenant, a.customer`,
  );
  return rows;
}
