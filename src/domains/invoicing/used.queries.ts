import { setTimeout } from 'node:timers/promises';
import type { Pool } from 'pg';
import { type BillingAccount, minorDigitsOf, periodsOf } from './billing-account.js';
import type { Cut } from './invoice.js';
import { type InvoiceContent, invoiceContent, type MeterUsed, type RequestsUsed, scaleOf } from './invoice-content.js';
import type { InvoiceLine } from './invoice-line.js';
import type { MeterCharge, TaxRate } from './settings.js';
import { METER_ITEMS, METERS_USED, REQUEST_ITEMS, REQUESTS_USED } from './used.sql.js';

/** How often it is looked whether projections have caught up; milliseconds. */
const LOOK_MS = 100;

/** An invoice to be reckoned: what is before both numbers of its cut and not before both of the earlier one. */
export interface CutAccount {
  readonly account: BillingAccount;
  /** The cut of the invoice before. */
  readonly after?: Cut;
  /** RFC 3339. */
  readonly to: string;
}

interface RequestsRow {
  readonly customer: string;
  readonly from: string;
  readonly to: string;
  readonly route: string;
  readonly tariff: string;
  readonly version: number;
  readonly count: number;
  readonly charged: string;
  readonly leaves: Buffer;
}

interface MeterRow {
  readonly customer: string;
  readonly meter: string;
  readonly unit: string;
  readonly from: string;
  readonly to: string;
  readonly before: string | null;
  readonly now: string | null;
  readonly events: number;
  readonly added: Buffer | null;
  readonly removed: Buffer | null;
}

interface PriceRow {
  readonly meter: string;
  readonly customer: string;
  readonly version: number;
  readonly effective: number;
  readonly charge: MeterCharge;
}

/**
 * What invoices of some accounts of one tenant say, by customer: a pure function of the log up to a position and of the cuts.
 *
 * @param position of the cuts; no projection may be behind it
 */
export async function contentsOf(
  pool: Pick<Pool, 'query'>,
  tenant: string,
  cuts: readonly CutAccount[],
  position: bigint,
): Promise<Map<string, InvoiceContent>> {
  const periods = periodColumns(cuts);
  const customers = cuts.map(({ account }) => account.customer);
  const at = position.toString();
  const earlier = cuts.map(({ after }) => after?.position ?? '-1');
  const [requests, meters, prices, rates] = await Promise.all([
    pool.query<RequestsRow>(REQUESTS_USED, [tenant, ...periods, at, earlier, customers]),
    pool.query<MeterRow>(METERS_USED, [tenant, ...periods, at, customers]),
    pricesOf(pool, tenant, at),
    ratesOf(pool, tenant, customers, at),
  ]);
  const [requestsBy, metersBy] = [byCustomer(requests.rows), byCustomer(meters.rows)];
  return new Map(
    cuts.map(({ account: { currency, customer, decimals } }) => [
      customer,
      invoiceContent({
        requests: (requestsBy.get(customer) ?? []).map(requestsUsed),
        meters: (metersBy.get(customer) ?? []).flatMap((row) => meterUsed(row, prices)),
        rates: rates.get(customer) ?? [],
        scale: scaleOf(decimals, minorDigitsOf(currency)),
      }),
    ]),
  );
}

/** Also those that run at the cut: an event that came late may belong into one of them by its arrival. */
function periodColumns(cuts: readonly CutAccount[]): unknown[][] {
  const rows = cuts.flatMap(({ account, after, to }) =>
    periodsOf(account, Date.parse(to)).map(({ from, to: end }, index) => {
      const seen = after && from < Date.parse(after.to) ? after.position : '-1';
      const matched = index === 0 ? '-infinity' : new Date(from).toISOString();
      return [
        ...[account.customer, matched, new Date(end).toISOString(), new Date(from).toISOString(), seen],
        ...[after?.to ?? '-infinity', to],
      ];
    }),
  );
  return Array.from({ length: 7 }, (_, column) => rows.map((row) => row[column]));
}

function requestsUsed({ charged, count, from, leaves, route, tariff, to, version }: RequestsRow): RequestsUsed {
  return { period: { from, to }, route, tariff: { id: tariff, version }, count, charged, leaves };
}

/** A meter without a price for the period is not billed. */
function meterUsed(row: MeterRow, prices: readonly PriceRow[]): MeterUsed[] {
  const { added, before, customer, events, from, meter, now, removed, to, unit } = row;
  const price = priceFor(prices, meter, customer, Date.parse(from)) ?? priceFor(prices, meter, '', Date.parse(from));
  if (!price) return [];
  const { charge, version } = price;
  return [
    {
      ...{ period: { from, to }, meter, unit, events, before: before ?? '0', now: now ?? '0' },
      price: { of: price.customer === '' ? 'meter' : 'account', version, charge },
      leaves: Buffer.concat([added ?? Buffer.alloc(0), removed ?? Buffer.alloc(0)]),
    },
  ];
}

/** Of those that are in force when the period begins, the newest. */
function priceFor(prices: readonly PriceRow[], meter: string, customer: string, from: number): PriceRow | undefined {
  return prices.find((one) => one.meter === meter && one.customer === customer && one.effective <= from);
}

async function pricesOf(pool: Pick<Pool, 'query'>, tenant: string, at: string): Promise<PriceRow[]> {
  const { rows } = await pool.query<PriceRow>(
    `select meter, customer, version, (extract(epoch from effective_from) * 1000)::float8 as effective, charge
     from meter_prices where tenant = $1 and position <= $2 order by version desc`,
    [tenant, at],
  );
  return rows;
}

async function ratesOf(pool: Pick<Pool, 'query'>, tenant: string, customers: readonly string[], at: string) {
  const { rows } = await pool.query<{ customer: string; rates: readonly TaxRate[] }>(
    `select distinct on (customer) customer, rates from account_taxes
     where tenant = $1 and customer = any($2::text[]) and position <= $3 order by customer, position desc`,
    [tenant, customers, at],
  );
  return new Map(rows.map(({ customer, rates }) => [customer, rates]));
}

function byCustomer<Row extends { readonly customer: string }>(rows: readonly Row[]): Map<string, Row[]> {
  const lists = new Map<string, Row[]>();
  for (const row of rows) {
    const list = lists.get(row.customer);
    if (list) list.push(row);
    else lists.set(row.customer, [row]);
  }
  return lists;
}

/** Up to where everything is that invoices are reckoned from. */
export async function billablePosition(pool: Pick<Pool, 'query'>): Promise<bigint> {
  const { rows } = await pool.query<{ at: string | null }>(
    `select min(position)::text as at from projection_checkpoints
     where name in ('billing', 'invoices') or name = 'commitments' and version > 1 having count(*) = 3`,
  );
  return BigInt(rows[0]?.at ?? 0);
}

/**
 * Whether all that is in the log now can be reckoned with, at once or within a while.
 *
 * @param waitMs milliseconds, the most that it takes to say no
 */
export async function caughtUp(pool: Pick<Pool, 'query'>, waitMs: number): Promise<boolean> {
  const { rows } = await pool.query<{ end: string }>('select coalesce(max(position), 0)::text as end from events');
  const end = BigInt(rows[0]!.end);
  for (const deadline = performance.now() + waitMs; ; ) {
    if ((await billablePosition(pool)) >= end) return true;
    if (performance.now() >= deadline) return false;
    await setTimeout(Math.min(LOOK_MS, waitMs));
  }
}

/** One of what a line is made of. A request's leaf is over the JSON list of its id, position and charge. */
export type LineItem =
  | { readonly id: string; readonly position: string; readonly charged: string }
  | {
      /** `replaced`: the leaf is that of the event that took its place. */
      readonly what: 'counted' | 'replaced';
      readonly source: string;
      readonly id: string;
      readonly position: string;
      readonly line: number;
      /** Hex. */
      readonly leaf: string;
    };

/** In the order of the line's root, after so many; one more than `limit` if there is another page. */
export async function lineItems(
  pool: Pick<Pool, 'query'>,
  cut: CutAccount,
  position: string,
  line: InvoiceLine,
  page: { readonly after: bigint; readonly limit: number },
): Promise<LineItem[]> {
  const { customer, tenant } = cut.account;
  const periods = periodColumns([cut]);
  const part = [line.period.from, page.after.toString(), page.limit + 1];
  if (line.kind === 'usage') {
    const values = [tenant, ...periods, position, [customer], line.meter, ...part];
    return (await pool.query<LineItem>(METER_ITEMS, values)).rows;
  }
  const values = [tenant, ...periods, position, [cut.after?.position ?? '-1'], [customer]];
  const { route, tariff } = line;
  return (await pool.query<LineItem>(REQUEST_ITEMS, [...values, route, tariff!.id, tariff!.version, ...part])).rows;
}
