import { formatExact, minus, NONE, sum } from '../../src/domains/invoicing/exact.js';
import { meterPrice } from '../../src/domains/invoicing/meter-price.js';
import { periodsUntil, type Span, type ZoneSince } from '../../src/domains/invoicing/periods.js';
import type { MeterCharge } from '../../src/domains/invoicing/settings.js';
import type { Fraction } from '../../src/domains/pricing/fraction.js';

export type Aggregation = 'sum' | 'count' | 'max' | 'unique' | 'latest';

/** A meter of the model: events that are late count in their own period, or in the one that they arrive in. */
export interface ModelMeter {
  readonly id: string;
  readonly aggregation: Aggregation;
  readonly byArrival: boolean;
  readonly charge: MeterCharge;
}

export interface ModelEvent {
  readonly id: string;
  readonly meter: ModelMeter;
  readonly n: number;
  readonly at: number;
  readonly arrived: number;
  /** Another one counts in its place, or none. */
  replaced: boolean;
}

/** What one account used, and what all of it costs: without cuts, invoices and positions. All time in epoch milliseconds. */
export class BillingModel {
  readonly zones: ZoneSince[];
  readonly requests: { readonly id: string; readonly at: number; readonly charged: bigint }[] = [];
  readonly events: ModelEvent[] = [];
  /** Of this account alone, oldest first. */
  readonly prices: { readonly meter: string; readonly since: number; readonly charge: MeterCharge }[] = [];

  constructor(
    private readonly openedAt: number,
    timeZone: string,
  ) {
    this.zones = [{ timeZone, since: openedAt }];
  }

  /** What is to be paid in all, by what for and the beginning of the period; what costs nothing is left out. */
  bill(now: number): Record<string, string> {
    const periods = periodsUntil(this.openedAt, this.zones, now);
    const bill = new Map<string, Fraction>();
    for (const { at, charged } of this.requests) {
      const key = keyOf('requests', periodOf(periods, at));
      bill.set(key, sum([bill.get(key) ?? NONE, { numerator: charged, denominator: 1n }]));
    }
    for (const [key, { charge, events, meter }] of this.counted(periods)) {
      bill.set(key, meterPrice(charge, totalOf(meter.aggregation, events)));
    }
    return written(bill);
  }

  private counted(periods: readonly Span[]) {
    const groups = new Map<string, { meter: ModelMeter; charge: MeterCharge; events: ModelEvent[] }>();
    for (const event of this.events.filter(({ replaced }) => !replaced)) {
      const { arrived, at, meter } = event;
      const own = periodOf(periods, at);
      const period = meter.byArrival && arrived >= own.to ? periodOf(periods, arrived) : own;
      const key = keyOf(meter.id, period);
      const group = groups.get(key) ?? { meter, charge: this.chargeOf(meter, period), events: [] };
      group.events.push(event);
      groups.set(key, group);
    }
    return groups;
  }

  private chargeOf({ charge, id }: ModelMeter, { from }: Span): MeterCharge {
    return this.prices.findLast(({ meter, since }) => meter === id && since <= from)?.charge ?? charge;
  }
}

/** The first period also has what was before it. */
function periodOf(periods: readonly Span[], at: number): Span {
  return periods.find(({ to }) => at < to)!;
}

function totalOf(aggregation: Aggregation, events: readonly ModelEvent[]): string {
  const values = events.map(({ n }) => n);
  switch (aggregation) {
    case 'sum':
      return `${values.reduce((total, n) => total + n, 0)}`;
    case 'count':
      return `${values.length}`;
    case 'max':
      return `${Math.max(...values)}`;
    case 'unique':
      return `${new Set(values).size}`;
    case 'latest':
      return `${[...events].sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1)).at(-1)!.n}`;
  }
}

function keyOf(what: string, { from }: { readonly from: number }): string {
  return `${what} ${new Date(from).toISOString()}`;
}

interface Line {
  readonly meter?: string;
  readonly period: { readonly from: string };
  readonly exact: string;
}

/** The same of lines, which may be of several invoices. */
export function billOf(lines: readonly Line[]): Record<string, string> {
  const bill = new Map<string, Fraction>();
  for (const { exact, meter = 'requests', period } of lines) {
    const [numerator = '', denominator = '1'] = exact.split('/');
    const key = `${meter} ${period.from}`;
    bill.set(key, sum([bill.get(key) ?? NONE, { numerator: BigInt(numerator), denominator: BigInt(denominator) }]));
  }
  return written(bill);
}

function written(bill: ReadonlyMap<string, Fraction>): Record<string, string> {
  const some = [...bill].filter(([, amount]) => minus(amount, NONE).numerator !== 0n);
  return Object.fromEntries(some.map(([key, amount]) => [key, formatExact(amount)]));
}
