import { createHash } from 'node:crypto';
import { Body, Controller, Get, Inject, Param, Post, Query, Req, UseGuards } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { FastifyRequest } from 'fastify';
import type { Pool } from 'pg';
import type { Prisma } from '../../base/platform/prisma.js';
import { CLOCK, POOL, PRISMA } from '../../base/platform/tokens.js';
import type { Clock } from '../../base/shared/clock.js';
import { offsetOf } from '../../domains/customers/tenant-clock.queries.js';
import { IssueCreditNote } from '../../domains/invoicing/credit-note.decide.js';
import {
  type CreditNoteRowView,
  creditNoteKey,
  creditNoteRowView,
  listCreditNotes,
} from '../../domains/invoicing/credit-notes.queries.js';
import type { InvoiceDocument } from '../../domains/invoicing/invoice-document.js';
import { creditNoteSchema } from '../../domains/invoicing/settings.schemas.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { Idempotent } from './idempotency.js';
import { idempotencyKeyOf } from './idempotency-key.js';
import { parseBody, parseQuery, text } from './input.js';
import { InvoiceReader } from './invoice-reader.js';
import { decodeNumber, type Page, pageOf, pageQuery } from './paging.js';

const listQuery = pageQuery.extend({
  tenant: text().optional(),
  customer: text().optional(),
  invoice: text().optional(),
});

/** Parts of invoices that were taken back, each by a document of its own. */
@Controller('admin/v1')
@UseGuards(AdminKeyGuard)
export class CreditNotesController {
  constructor(
    @Inject(PRISMA) private readonly prisma: Prisma,
    @Inject(POOL) private readonly pool: Pool,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(CommandBus) private readonly bus: CommandBus,
    @Inject(InvoiceReader) private readonly reader: InvoiceReader,
  ) {}

  /** Takes back lines or the whole. The key itself is in the event, so the same one issues one note, whoever dies. */
  @Post('invoices/:id/credit-notes')
  @Idempotent('required')
  async issue(
    @Param('id') id: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
  ): Promise<InvoiceDocument> {
    const { lines, reason } = parseBody(creditNoteSchema, body);
    const { customer, sequence, tenant } = (await this.reader.find(id)).invoice.drafted;
    const of = lines?.map(({ amount, key }) => ({ key, ...(amount !== undefined && { amount: BigInt(amount) }) }));
    const at = this.clock() + (await offsetOf(this.pool, tenant));
    const key = createHash('sha256').update(idempotencyKeyOf(request)!).digest('base64url');
    await this.bus.execute(new IssueCreditNote(tenant, customer, sequence, reason, of ?? 'all', at, key));
    return this.reader.creditNoteOf(id, ({ request: asked }) => asked === key);
  }

  /** Newest first. */
  @Get('credit-notes')
  async list(@Query() query: unknown): Promise<Page<CreditNoteRowView>> {
    const { cursor, limit, ...filter } = parseQuery(listQuery, query);
    const before = cursor === undefined ? undefined : decodeNumber(cursor);
    const rows = await listCreditNotes(this.prisma, filter, before, limit);
    return pageOf(rows, limit, creditNoteKey, creditNoteRowView);
  }

  @Get('credit-notes/:id')
  one(@Param('id') id: string): Promise<InvoiceDocument> {
    return this.reader.creditNote(id);
  }
}
