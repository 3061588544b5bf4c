import type { Pool } from 'pg';
import type { EventStore } from '../../base/event-store/event-store.js';
import { Problem } from '../../base/shared/problem.js';
import type { AccountBook } from '../../domains/customers/account-book.js';
import { invoiceById } from '../../domains/invoicing/invoice-by-id.js';
import { type InvoiceTerms, invoiceTerms } from './invoice-terms.js';
import type { PaidCall } from './paid-call.js';
import { mustBePayable } from './top-ups.js';

/** Looks up what an invoice asks for. */
export class InvoiceDesk {
  constructor(
    private readonly pool: Pick<Pool, 'query'>,
    private readonly store: Pick<EventStore, 'readStream'>,
    private readonly accounts: AccountBook,
  ) {}

  /** @throws Problem `unknown_invoice`, `account_of_other_token`, or what `invoiceTerms` says */
  async termsOf({ params, query, tenant }: PaidCall): Promise<InvoiceTerms> {
    const id = params.invoice!;
    const invoice = await invoiceById(this.pool, this.store, tenant.id, id);
    if (!invoice) throw new Problem('unknown_invoice');
    const terms = invoiceTerms(id, invoice, query);
    if (!terms.instead) mustBePayable(tenant, terms.due.customer, this.accounts);
    return terms;
  }
}
