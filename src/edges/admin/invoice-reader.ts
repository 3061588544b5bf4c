import { Inject, Injectable } from '@nestjs/common';
import type { Pool } from 'pg';
import { EventStore } from '../../base/event-store/event-store.js';
import type { Config } from '../../base/platform/config.js';
import type { Prisma } from '../../base/platform/prisma.js';
import { CONFIG, POOL, PRISMA } from '../../base/platform/tokens.js';
import { Problem } from '../../base/shared/problem.js';
import type { CustomerId } from '../../domains/customers/account.js';
import { Closer } from '../../domains/invoicing/closer.js';
import { findCreditNote } from '../../domains/invoicing/credit-notes.queries.js';
import { foldInvoice, type Invoice } from '../../domains/invoicing/invoice.evolve.js';
import { type CreditNoteIssued, creditNoteIdOf, invoiceStream } from '../../domains/invoicing/invoice.js';
import type { InvoiceDocument } from '../../domains/invoicing/invoice-document.js';
import { findInvoice } from '../../domains/invoicing/invoices.queries.js';
import { partiesNow, partiesOf } from '../../domains/invoicing/parties.queries.js';
import { creditNoteDocumentOf, documentOf, numberOf } from '../../domains/invoicing/to-document.js';
import { publicAddresses } from '../gateway/public-address.js';

interface Found {
  readonly invoice: Invoice;
  /** Absent until it is final and counted. */
  readonly number: number | undefined;
}

/** One invoice as it stands. */
@Injectable()
export class InvoiceReader {
  constructor(
    @Inject(PRISMA) private readonly prisma: Prisma,
    @Inject(POOL) private readonly pool: Pool,
    @Inject(EventStore) private readonly store: EventStore,
    @Inject(Closer) private readonly closer: Closer,
    @Inject(CONFIG) private readonly config: Pick<Config, 'publicUrl'>,
  ) {}

  /** @throws Problem `unknown_invoice` */
  async document(id: string): Promise<InvoiceDocument> {
    const { invoice, number } = await this.find(id);
    const { customer, tenant } = invoice.drafted;
    const parties = (await partiesOf(this.pool, id)) ?? (await partiesNow(this.pool, tenant, [customer]))(customer);
    if (!invoice.finalized) {
      const draft = await this.closer.upcoming(tenant, customer, invoice.drafted.period.to);
      return documentOf(invoice, undefined, parties, draft!.content);
    }
    const { numberPrefix } = await this.closer.rulesOf(tenant);
    const document = documentOf(invoice, number === undefined ? undefined : numberOf(numberPrefix, number), parties);
    return isPayable(document) ? { ...document, payUrl: await this.payUrl(tenant, id) } : document;
  }

  /** Where any x402 client pays it: at the tenant's public address. */
  private async payUrl(tenant: string, id: string): Promise<string> {
    const { host } = await this.prisma.tenant.findUniqueOrThrow({ where: { id: tenant }, select: { host: true } });
    return `${publicAddresses(this.config.publicUrl)({ host })}/-/invoices/${id}`;
  }

  /** @throws Problem `unknown_credit_note` */
  async creditNote(id: string): Promise<InvoiceDocument> {
    const row = await findCreditNote(this.prisma, id);
    if (!row) throw new Problem('unknown_credit_note');
    return this.creditNoteOf(row.invoice, ({ note }) => note === row.note);
  }

  /** The note of an invoice that is asked for; it has its number a moment after it was issued. */
  async creditNoteOf(id: string, which: (note: CreditNoteIssued['data']) => boolean): Promise<InvoiceDocument> {
    const { invoice, number } = await this.find(id);
    const { customer, sequence, tenant } = invoice.drafted;
    const note = invoice.notes.find(which)!;
    const row = await findCreditNote(this.prisma, creditNoteIdOf(invoiceStream(tenant, customer, sequence), note.note));
    const { numberPrefix } = await this.closer.rulesOf(tenant);
    const numbers = {
      ...(row && { number: numberOf('CN', row.number) }),
      ...(number !== undefined && { of: numberOf(numberPrefix, number) }),
    };
    return creditNoteDocumentOf(invoice, note, numbers, (await partiesOf(this.pool, id))!);
  }

  /** By the row, which is there a moment after the draft; what it says comes from the stream. */
  async find(id: string): Promise<Found> {
    const row = await findInvoice(this.prisma, id);
    if (!row) throw new Problem('unknown_invoice');
    const stream = invoiceStream(row.tenant, row.customer as CustomerId, row.sequence);
    const invoice = foldInvoice(await this.store.readStream(stream))!;
    return { invoice, number: row.number ?? undefined };
  }
}

function isPayable({ outstanding, state }: InvoiceDocument): boolean {
  return outstanding !== '0' && state !== 'void';
}
