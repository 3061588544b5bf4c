import { Controller, Get, Inject, Param, Query, UseGuards } from '@nestjs/common';
import { z } from 'zod';
import { EventStore } from '../../base/event-store/event-store.js';
import type { Prisma } from '../../base/platform/prisma.js';
import { PRISMA } from '../../base/platform/tokens.js';
import { Problem } from '../../base/shared/problem.js';
import type { Delegation } from '../../domains/payments/delegation.js';
import { type Payment, type PaymentId, paymentStream } from '../../domains/payments/payment.js';
import { findPayment, listPayments, type PaymentView, paymentView } from '../../domains/payments/payments.queries.js';
import { type RefundSummary, refundSummaries } from '../../domains/payments/refunds.queries.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { instant, parseQuery, text } from './input.js';
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
  network: text().optional(),
  until: instant.optional(),
});

/** Who was asked to settle it; nobody else until the time was over, or the attempt had ended. */
interface DelegationView {
  readonly attempt: number;
  /** Base URL, or `own` for the settlers here. */
  readonly facilitator: string;
  readonly at: string;
  readonly until: string;
}

type WholePayment = PaymentView & {
  readonly refunds: readonly RefundSummary[];
  readonly delegations: readonly DelegationView[];
};

@Controller('admin/v1/payments')
@UseGuards(AdminKeyGuard)
export class PaymentsController {
  constructor(
    @Inject(PRISMA) private readonly prisma: Prisma,
    @Inject(EventStore) private readonly store: EventStore,
  ) {}

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
  async one(@Param('id') id: string): Promise<WholePayment> {
    const [row, refunds] = await Promise.all([findPayment(this.prisma, id), refundSummaries(this.prisma, id)]);
    if (!row) throw new Problem('not_found');
    return { ...paymentView(row), refunds, delegations: await this.delegationsOf(id as PaymentId) };
  }

  private async delegationsOf(id: PaymentId): Promise<readonly DelegationView[]> {
    const stored = await this.store.readStream(paymentStream(id));
    return stored.flatMap(({ data, occurredAt, type }) => {
      if (type !== 'SettlementDelegated') return [];
      const { attempt, facilitator, until } = data as unknown as Delegation;
      return [{ attempt, facilitator, at: occurredAt.toISOString(), until: new Date(Number(until)).toISOString() }];
    });
  }
}
