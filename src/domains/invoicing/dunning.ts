import type { Pool } from 'pg';
import type { Clock } from '../../base/shared/clock.js';
import type { CustomerId } from '../customers/account.js';
import { FollowInvoices } from '../customers/account-overdue.decide.js';
import { DunInvoice, nextNotice } from './dunning.decide.js';
import type { InvoicingRules } from './settings.js';

/** Looked at in one turn. */
const TURN = 500;

type Write = (command: DunInvoice | FollowInvoices) => Promise<unknown>;

interface UnpaidRow {
  readonly tenant: string;
  readonly customer: string;
  readonly sequence: number;
  /** By the tenant's clock, epoch milliseconds. */
  readonly now: number;
  readonly due: number;
  readonly overdue: boolean;
}

interface StandingRow {
  readonly tenant: string;
  readonly customer: CustomerId;
  readonly overdue: boolean;
}

const UNPAID = `
  select i.tenant, i.customer, i.sequence, (extract(epoch from t.now) * 1000)::float8 as now,
    (extract(epoch from i.due_at) * 1000)::float8 as due, i.overdue
  from invoices i left join tenant_clocks c on c.tenant = i.tenant
    cross join lateral (select $1::timestamptz + make_interval(secs => coalesce(c.offset_ms, 0) / 1000.0) as now) as t
  where i.state in ('open', 'partially_paid') and i.due_at <= t.now and (i.tenant, i.customer, i.sequence) > ($2, $3, $4)
  order by i.tenant, i.customer, i.sequence limit $5`;

/** Accounts whose suspension does not say what their invoices do. One without a credit line has paid in advance. */
const STANDINGS = `
  select a.tenant, a.customer, o.overdue from accounts a
    cross join lateral (select exists (select from invoices i where i.tenant = a.tenant and i.customer = a.customer
      and i.overdue and i.state in ('open', 'partially_paid')) as overdue) as o
  where a.suspended is null and o.overdue and a.credit_line > 0 or a.suspended = 'overdue' and not o.overdue
  limit $1`;

/**
 * Follows invoices that are not paid: overdue, reminded of by the tenant's schedule; who has one overdue may not pay later until it is
 * paid. All is decided by the streams, so any number of workers may do it at once, and be killed.
 */
export class Dunning {
  /** Until when there is nothing to be done for an invoice, as far as this process knows. */
  private quiet = new Map<string, number>();

  constructor(
    private readonly pool: Pick<Pool, 'query'>,
    private readonly clock: Clock,
    private readonly rulesOf: (tenant: string) => Promise<InvoicingRules>,
    private readonly write: Write,
  ) {}

  /** One turn over all that is unpaid. Writes of one page share transactions. */
  async step(): Promise<boolean> {
    const quiet = new Map<string, number>();
    const rules = new Map<string, InvoicingRules>();
    for await (const page of this.unpaid()) {
      for (const { tenant } of page) if (!rules.has(tenant)) rules.set(tenant, await this.rulesOf(tenant));
      await Promise.all(
        page.map(async (row) => quiet.set(nameOf(row), await this.follow(row, rules.get(row.tenant)!.dunningDays))),
      );
    }
    this.quiet = quiet;
    const { rows } = await this.pool.query<StandingRow>(STANDINGS, [TURN]);
    await Promise.all(
      rows.map(({ customer, overdue, tenant }) => this.write(new FollowInvoices(tenant, customer, overdue))),
    );
    return rows.length === TURN;
  }

  /** Returns until when there is nothing more to be done. */
  private async follow(row: UnpaidRow, dunningDays: readonly number[]): Promise<number> {
    const { customer, due, now, overdue, sequence, tenant } = row;
    const until = this.quiet.get(nameOf(row)) ?? 0;
    // Paid and unpaid again between two turns: it is to be overdue again.
    if (overdue && until > now) return until;
    const command = new DunInvoice(tenant, customer, sequence, now, dunningDays);
    await this.write(command);
    return nextNotice(command, due) ?? Number.POSITIVE_INFINITY;
  }

  private async *unpaid(): AsyncGenerator<readonly UnpaidRow[]> {
    let last: readonly [string, string, number] = ['', '', 0];
    for (;;) {
      const { rows } = await this.pool.query<UnpaidRow>(UNPAID, [new Date(this.clock()), ...last, TURN]);
      yield rows;
      const end = rows.at(-1);
      if (end === undefined || rows.length < TURN) return;
      last = [end.tenant, end.customer, end.sequence];
    }
  }
}

function nameOf({ customer, sequence, tenant }: UnpaidRow): string {
  return `${tenant}/${customer}/${sequence}`;
}
