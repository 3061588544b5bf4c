import { Controller, Get, Inject, Param, Query, UseGuards } from '@nestjs/common';
import { z } from 'zod';
import type { Prisma } from '../../base/platform/prisma.js';
import { PRISMA } from '../../base/platform/tokens.js';
import { Problem } from '../../base/shared/problem.js';
import type { Payment } from '../../domains/payments/payment.js';
import { findPayment, listPayments, type PaymentView, paymentView } from '../../domains/payments/payments.queries.js';
import { type RefundSummary, refundSummaries } from '../../domains/payments/refunds.queries.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { parseQuery, text } from './input.js';
import { decodeNumber, type Page, pageOf, pageQuery } from './paging.js';

const states = [
  'authorized',
  'delivered',
  'submitted',
  'settled',
  'settlement_failed',
  'released',
  'interrupted',
  'awaiting_settlement',
  'paid',
  'delivering',
  'undelivered',
  'refund_owed',
  'refunded',
] as const satisfies readonly Payment['status'][];

const listQuery = pageQuery.extend({
  tenant: text().optional(),
  route: text().optional(),
  payer: text().toLowerCase().optional(),
  state: z.enum(states).optional(),
});

@Controller('admin/v1/payments')
@UseGuards(AdminKeyGuard)
export class PaymentsController {
  constructor(@Inject(PRISMA) private readonly prisma: Prisma) {}

  /** Newest first. */
  @Get()
  async list(@Query() query: unknown): Promise<Page<PaymentView>> {
    const { cursor, limit, ...filter } = parseQuery(listQuery, query);
    const rows = await listPayments(
      this.prisma,
      filter,
      cursor === undefined ? undefined : decodeNumber(cursor),
      limit,
    );
    return pageOf(rows, limit, (row) => [row.position.toString()], paymentView);
  }

  @Get(':id')
  async one(@Param('id') id: string): Promise<PaymentView & { readonly refunds: readonly RefundSummary[] }> {
    const [row, refunds] = await Promise.all([findPayment(this.prisma, id), refundSummaries(this.prisma, id)]);
    if (!row) throw new Problem('not_found');
    return { ...paymentView(row), refunds };
  }
}
