import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, UseGuards } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { Pool } from 'pg';
import { z } from 'zod';
import { EventStore } from '../../base/event-store/event-store.js';
import type { Prisma } from '../../base/platform/prisma.js';
import { POOL, PRISMA } from '../../base/platform/tokens.js';
import { Problem } from '../../base/shared/problem.js';
import { billingAccounts } from '../../domains/invoicing/billing-account.js';
import { Closer } from '../../domains/invoicing/closer.js';
import { VoidInvoice } from '../../domains/invoicing/invoice.decide.js';
import type { DocumentLine, InvoiceDocument } from '../../domains/invoicing/invoice-document.js';
import {
  type InvoiceRowView,
  invoiceKey,
  invoiceRowView,
  listInvoices,
} from '../../domains/invoicing/invoices.queries.js';
import { voidSchema } from '../../domains/invoicing/settings.schemas.js';
import { type LineItem, lineItems } from '../../domains/invoicing/used.queries.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { Idempotent } from './idempotency.js';
import { parseBody, parseQuery, text } from './input.js';
import { InvoiceReader } from './invoice-reader.js';
import { decodeNumber, type Page, pageOf, pageQuery } from './paging.js';

const STATES = ['draft', 'open', 'partially_paid', 'paid', 'void', 'uncollectible'] as const;
const listQuery = pageQuery.extend({
  tenant: text().optional(),
  customer: text().optional(),
  state: z.enum(STATES).optional(),
});

/** Invoices and drafts. A draft says what it would say now. */
@Controller('admin/v1/invoices')
@UseGuards(AdminKeyGuard)
export class InvoicesController {
  constructor(
    @Inject(PRISMA) private readonly prisma: Prisma,
    @Inject(POOL) private readonly pool: Pool,
    @Inject(EventStore) private readonly store: EventStore,
    @Inject(CommandBus) private readonly bus: CommandBus,
    @Inject(Closer) private readonly closer: Closer,
    @Inject(InvoiceReader) private readonly reader: InvoiceReader,
  ) {}

  /** Newest first. */
  @Get()
  async list(@Query() query: unknown): Promise<Page<InvoiceRowView>> {
    const { cursor, limit, ...filter } = parseQuery(listQuery, query);
    const before = cursor === undefined ? undefined : decodeNumber(cursor);
    return pageOf(await listInvoices(this.prisma, filter, before, limit), limit, invoiceKey, invoiceRowView);
  }

  @Get(':id')
  one(@Param('id') id: string): Promise<InvoiceDocument> {
    return this.reader.document(id);
  }

  @Get(':id/lines')
  async lines(@Param('id') id: string): Promise<{ readonly data: readonly DocumentLine[] }> {
    return { data: (await this.one(id)).lines };
  }

  /** What a line of a final invoice is made of, in the order of its root: enough to reckon the root again. */
  @Get(':id/lines/:key/items')
  async items(@Param('id') id: string, @Param('key') key: string, @Query() query: unknown): Promise<Page<LineItem>> {
    const { cursor, limit } = parseQuery(pageQuery, query);
    const { invoice } = await this.reader.find(id);
    const { drafted, finalized } = invoice;
    if (!finalized) throw new Problem('invoice_not_final');
    const line = finalized.lines.find((one) => one.key === key);
    if (!line) throw new Problem('not_found', 'The invoice has no such line');
    const accounts = await billingAccounts(this.store, drafted.tenant, [drafted.customer]);
    const { after: earlier, cut } = finalized;
    const of = { account: accounts.get(drafted.customer)!, after: earlier, to: cut.to };
    const after = cursor === undefined ? 0n : decodeNumber(cursor);
    const rows = await lineItems(this.pool, of, cut.position, line, { after, limit });
    const nextKey = [(after + BigInt(limit)).toString()];
    return pageOf(
      rows,
      limit,
      () => nextKey,
      (item) => item,
    );
  }

  /** Ends the grace of a draft. */
  @Post(':id/finalize')
  @HttpCode(200)
  @Idempotent('optional')
  async finalize(@Param('id') id: string): Promise<InvoiceDocument> {
    const { invoice } = await this.reader.find(id);
    if (invoice.finalized) return this.one(id);
    const { customer, tenant } = invoice.drafted;
    const nothing = await this.closer.close(tenant, [customer], { early: true });
    if (nothing.includes(customer)) throw new Problem('nothing_to_bill');
    return this.one(id);
  }

  /** Nothing of it is asked for any more, and nothing of it is billed again. */
  @Post(':id/void')
  @HttpCode(200)
  @Idempotent('optional')
  async void(@Param('id') id: string, @Body() body: unknown): Promise<InvoiceDocument> {
    const { reason } = parseBody(voidSchema, body);
    const { customer, sequence, tenant } = (await this.reader.find(id)).invoice.drafted;
    await this.bus.execute(new VoidInvoice(tenant, customer, sequence, reason));
    return this.one(id);
  }
}
