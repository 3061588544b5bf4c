import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Req, UseGuards } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Prisma } from '../../base/platform/prisma.js';
import { PRISMA } from '../../base/platform/tokens.js';
import { Problem } from '../../base/shared/problem.js';
import { RequestCardRefund } from '../../domains/settlement/cards/card-charge.decide.js';
import { type CardCharge, leftOf } from '../../domains/settlement/cards/card-charge.evolve.js';
import { cardRefundIdOf } from '../../domains/settlement/cards/card-charge.js';
import {
  type CardChargeView,
  cardChargeKey,
  cardChargeView,
  findCardCharge,
  listCardCharges,
} from '../../domains/settlement/cards/card-charges.queries.js';
import { CardDesk } from '../../domains/settlement/cards/card-desk.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { Idempotent } from './idempotency.js';
import { idempotencyKeyOf } from './idempotency-key.js';
import { parseBody, parseQuery, text } from './input.js';
import { decodeNumber, type Page, pageOf, pageQuery } from './paging.js';

const STATES = ['requested', 'submitted', 'action_required', 'declined', 'succeeded'] as const;
const listQuery = pageQuery.extend({
  tenant: text().optional(),
  customer: text().optional(),
  invoice: text().optional(),
  state: z.enum(STATES).optional(),
});

const refundBody = z.strictObject({
  amount: z
    .string()
    .regex(/^[1-9][0-9]{0,17}$/, 'minor units above zero, as a decimal string')
    .transform(BigInt)
    .optional(),
});

/** In minor units. */
interface CardRefundView {
  readonly id: string;
  readonly charge: string;
  readonly amount: string;
  readonly reason: string;
  readonly state: 'pending' | 'succeeded' | 'failed';
}

/** What was taken from cards for invoices. */
@Controller('admin/v1/card-charges')
@UseGuards(AdminKeyGuard)
export class CardChargesController {
  constructor(
    @Inject(PRISMA) private readonly prisma: Prisma,
    @Inject(CommandBus) private readonly bus: CommandBus,
    @Inject(CardDesk) private readonly desk: CardDesk,
  ) {}

  /** Newest first. */
  @Get()
  async list(@Query() query: unknown): Promise<Page<CardChargeView>> {
    const { cursor, limit, ...filter } = parseQuery(listQuery, query);
    const before = cursor === undefined ? undefined : decodeNumber(cursor);
    return pageOf(await listCardCharges(this.prisma, filter, before, limit), limit, cardChargeKey, cardChargeView);
  }

  /** With its refunds. */
  @Get(':id')
  async one(@Param('id') id: string): Promise<CardChargeView & { readonly refunds: readonly CardRefundView[] }> {
    const row = await this.rowOf(id);
    return { ...cardChargeView(row), refunds: refundViews(id, await this.chargeOf(row)) };
  }

  /** Gives back what is left of a charge, or part of it; the invoice stays as it is. Sent by the workers. */
  @Post(':id/refund')
  @HttpCode(202)
  @Idempotent('required')
  async refund(
    @Param('id') id: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
  ): Promise<CardRefundView> {
    const { amount } = parseBody(refundBody, body ?? {});
    const row = await this.rowOf(id);
    const refund = cardRefundIdOf(row.tenant, id, `requested ${idempotencyKeyOf(request)}`);
    const charge = await this.chargeOf(row);
    const left = leftOf(charge);
    if (charge.status === 'succeeded' && left === 0n && !charge.refunds.has(refund)) {
      throw new Problem('refund_exceeds_payment');
    }
    await this.bus.execute(new RequestCardRefund(row.tenant, id, refund, amount ?? left, 'requested'));
    return refundViews(id, await this.chargeOf(row)).find((view) => view.id === refund)!;
  }

  private async rowOf(id: string) {
    const row = await findCardCharge(this.prisma, id);
    if (!row) throw new Problem('not_found', 'No such charge');
    return row;
  }

  private async chargeOf({ id, tenant }: { readonly id: string; readonly tenant: string }): Promise<CardCharge> {
    return (await this.desk.load(tenant, id))!;
  }
}

function refundViews(charge: string, { refunds }: CardCharge): readonly CardRefundView[] {
  return [...refunds].map(([id, { asked, status }]) => {
    return { id, charge, amount: asked.amount, reason: asked.reason, state: status };
  });
}
