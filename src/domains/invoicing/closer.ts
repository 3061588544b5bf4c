import type { Pool } from 'pg';
import type { EventStore } from '../../base/event-store/event-store.js';
import type { Clock } from '../../base/shared/clock.js';
import type { CustomerId } from '../customers/account.js';
import { type BillingAccount, billingAccounts, minorDigitsOf, periodsOf, zoneAt } from './billing-account.js';
import { type DueAccount, dueAccounts } from './due-accounts.queries.js';
import { DraftInvoice, FinalizeInvoice } from './invoice.decide.js';
import {
  type InvoiceDrafted,
  type InvoiceFinalized,
  type InvoiceReason,
  invoiceIdOf,
  invoiceStream,
} from './invoice.js';
import { type InvoiceContent, scaleOf } from './invoice-content.js';
import { partiesNow, partiesOfInvoice } from './parties.queries.js';
import { type InvoicingRules, type InvoicingSet, invoicingStream, usualRules } from './settings.js';
import { billablePosition, type CutAccount, contentsOf } from './used.queries.js';

const DAY_MS = 86_400_000;

export type InvoiceWrites = (command: DraftInvoice | FinalizeInvoice) => Promise<unknown>;

/** What is to be done for one account now: a draft, or a draft that is made final. */
interface Step extends CutAccount {
  readonly due: DueAccount;
  /** By the tenant's clock, epoch milliseconds. */
  readonly now: number;
  readonly reason: InvoiceReason;
  readonly finalize: boolean;
}

/**
 * Closes periods. Whatever it is killed in the middle of, the next run finds from the books what is still to be done, and the invoices'
 * streams decide what was done already; two of them at once do each thing once.
 */
export class Closer {
  constructor(
    private readonly pool: Pool,
    private readonly store: EventStore,
    private readonly clock: Clock,
    private readonly write: InvoiceWrites,
  ) {}

  /**
   * Drafts what is over and finalizes what is out of grace, of these accounts of a tenant, in one reckoning for all.
   *
   * @param options `early`: the grace of drafts ends now
   * @returns the accounts that nothing could be billed of
   */
  async close(
    tenant: string,
    customers: readonly CustomerId[],
    { early = false }: { readonly early?: boolean } = {},
  ): Promise<readonly string[]> {
    const now = this.clock();
    const [due, accounts, rules] = await Promise.all([
      dueAccounts(this.pool, now, { tenant, customers }),
      billingAccounts(this.store, tenant, customers),
      this.rulesOf(tenant),
    ]);
    // After the earlier cuts are known: a position that was read before might be behind one that another worker made meanwhile.
    const position = await billablePosition(this.pool);
    const steps = due.flatMap((one) => {
      const account = accounts.get(one.customer);
      return account ? (stepFor(one, account, now + one.offset, early) ?? []) : [];
    });
    const nothing = await this.take(tenant, steps, position, rules);
    const later = await this.somethingLater(tenant, nothing, position);
    // What came to nothing in its own month is billed with the first later one that it comes to something with.
    for (let left = later; left.length > 0; ) {
      const next = left.flatMap((step) => endingAt(step, endsAfter(step)[0]) ?? []);
      left = await this.take(tenant, next, position, rules);
    }
    return nothing.filter((step) => !later.includes(step)).map(({ account }) => account.customer);
  }

  /** Drafts what is not billed yet, at once, of those accounts of a tenant of which it comes to the threshold. */
  async closeThreshold(tenant: string, customers: readonly CustomerId[]): Promise<void> {
    const rules = await this.rulesOf(tenant);
    if (rules.threshold === undefined) return;
    const now = this.clock();
    const [due, accounts] = await Promise.all([
      dueAccounts(this.pool, now, { tenant, customers }),
      billingAccounts(this.store, tenant, customers),
    ]);
    const position = await billablePosition(this.pool);
    const steps = due.flatMap((one): Step[] => {
      const [account, time] = [accounts.get(one.customer), now + one.offset];
      // A month that is over is closed first.
      if (!account || one.draft || stepFor(one, account, time, false)) return [];
      const to = new Date(time).toISOString();
      return [{ due: one, account, after: one.after, now: time, reason: 'threshold', finalize: false, to }];
    });
    const contents = steps.length > 0 ? await contentsOf(this.pool, tenant, steps, position) : new Map();
    const passed = steps.filter((step) => {
      const content: InvoiceContent | undefined = contents.get(step.account.customer);
      return content !== undefined && BigInt(content.total) >= BigInt(rules.threshold!);
    });
    await Promise.all(passed.map((step) => this.write(new DraftInvoice(draftOf(step, rules)))));
  }

  /** What the next invoice, or the draft, would say if it were cut now. @param until where its period ends; now, if nothing is said */
  async upcoming(
    tenant: string,
    customer: CustomerId,
    until?: string,
  ): Promise<{ content: InvoiceContent; cut: CutAccount } | undefined> {
    const [[due], accounts] = await Promise.all([
      dueAccounts(this.pool, this.clock(), { tenant, customers: [customer] }),
      billingAccounts(this.store, tenant, [customer]),
    ]);
    const account = accounts.get(customer);
    if (!due || !account) return undefined;
    const to = until ?? new Date(this.clock() + due.offset).toISOString();
    const cut = { account, after: due.after, to };
    const content = (await contentsOf(this.pool, tenant, [cut], await billablePosition(this.pool))).get(customer)!;
    return { content, cut };
  }

  async rulesOf(tenant: string): Promise<InvoicingRules> {
    const events = (await this.store.readStream(invoicingStream(tenant))) as unknown as readonly InvoicingSet[];
    return events.at(-1)?.data ?? usualRules;
  }

  /** Those that come to something with all the months that are over since. */
  private async somethingLater(tenant: string, steps: readonly Step[], position: bigint): Promise<Step[]> {
    const longest = steps.flatMap((step) => endingAt(step, endsAfter(step).at(-1)) ?? []);
    if (longest.length === 0) return [];
    const contents = await contentsOf(this.pool, tenant, longest, position);
    return steps.filter((step) => {
      const content = contents.get(step.account.customer);
      return content !== undefined && endsAfter(step).length > 0 && BigInt(content.total) > 0n;
    });
  }

  /** Returns those that come to nothing. */
  private async take(tenant: string, steps: readonly Step[], position: bigint, rules: InvoicingRules): Promise<Step[]> {
    if (steps.length === 0) return [];
    const customers = steps.map(({ account }) => account.customer);
    const [contents, parties] = await Promise.all([
      contentsOf(this.pool, tenant, steps, position),
      partiesNow(this.pool, tenant, customers),
    ]);
    const nothing: Step[] = [];
    await Promise.all(
      steps.map(async (step) => {
        const { customer } = step.account;
        const content = contents.get(customer)!;
        if (BigInt(content.total) <= 0n) nothing.push(step);
        else if (!step.finalize) await this.write(new DraftInvoice(draftOf(step, rules)));
        else {
          const { sequence } = step.due;
          const id = invoiceIdOf(invoiceStream(tenant, customer, sequence));
          const { attachment, ...digests } = partiesOfInvoice(id, parties(customer));
          const data = { ...finalOf(step, content, position, rules), ...digests };
          await this.write(new FinalizeInvoice(tenant, customer, sequence, data, attachment));
        }
      }),
    );
    return nothing;
  }
}

/** Pure: what is next for an account, if anything is: month by month. */
function stepFor(due: DueAccount, account: BillingAccount, now: number, early: boolean): Step | undefined {
  const { after, draft } = due;
  const step = { due, account, after, now, reason: 'period' as const };
  if (draft) {
    const isDue = early || draft.graceUntil <= now;
    return isDue ? { ...step, finalize: true, to: new Date(draft.periodTo).toISOString() } : undefined;
  }
  const since = after ? Date.parse(after.to) : account.openedAt;
  const [end] = endsWithin(account, since, now);
  return end === undefined ? undefined : { ...step, finalize: false, to: new Date(end).toISOString() };
}

/** The same as a draft up to another end, if there is one. */
function endingAt(step: Step, end: number | undefined): Step | undefined {
  return end === undefined ? undefined : { ...step, finalize: false, to: new Date(end).toISOString() };
}

function endsAfter({ account, now, to }: Step): readonly number[] {
  return endsWithin(account, Date.parse(to), now);
}

/** Ends of periods after one instant and up to another one. */
function endsWithin(account: BillingAccount, since: number, now: number): readonly number[] {
  return periodsOf(account, now)
    .map(({ to }) => to)
    .filter((to) => to > since && to <= now);
}

function draftOf({ account, after, due, reason, to }: Step, { graceSeconds }: InvoicingRules): InvoiceDrafted['data'] {
  const { asset, currency, customer, decimals, network, openedAt, tenant } = account;
  const from = after?.to ?? new Date(openedAt).toISOString();
  const grace = reason === 'threshold' ? 0 : graceSeconds * 1000;
  return {
    ...{ tenant, customer, sequence: due.draft ? due.sequence : due.sequence + 1, reason, period: { from, to } },
    ...{ timeZone: zoneAt(account, Date.parse(from)), graceUntil: new Date(Date.parse(to) + grace).toISOString() },
    ...{ currency, network, asset, decimals },
  };
}

function finalOf(
  { account: { currency, decimals }, after, now, to }: Step,
  content: InvoiceContent,
  position: bigint,
  { dueDays }: InvoicingRules,
): Omit<InvoiceFinalized['data'], 'sellerDigest' | 'buyerDigest'> {
  return {
    cut: { position: position.toString(), to },
    ...(after && { after }),
    issuedAt: new Date(now).toISOString(),
    dueAt: new Date(now + dueDays * DAY_MS).toISOString(),
    ...{ currency, decimals, scale: scaleOf(decimals, minorDigitsOf(currency)).toString() },
    ...content,
  };
}
