import { Controller, Delete, Get, Inject, Param, UseGuards } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { Pool } from 'pg';
import type { Prisma } from '../../base/platform/prisma.js';
import { POOL, PRISMA } from '../../base/platform/tokens.js';
import { LiftProbation, paymentsLeft } from '../../domains/payments/lift-probation.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { Idempotent } from './idempotency.js';
import { payerOf, tenantOf } from './input.js';

interface ProbationView {
  readonly tenant: string;
  readonly payer: string;
  /** That have to settle before their answers; "0": it is not on probation. */
  readonly payments_left: string;
}

/** Whether a payer is answered before or after its payment settles, since one of its payments failed after the answer. */
@Controller('admin/v1/customers/:tenant/:payer/probation')
@UseGuards(AdminKeyGuard)
export class ProbationController {
  constructor(
    @Inject(PRISMA) private readonly prisma: Prisma,
    @Inject(POOL) private readonly pool: Pool,
    @Inject(CommandBus) private readonly bus: CommandBus,
  ) {}

  @Get()
  async one(@Param('tenant') id: string, @Param('payer') address: string): Promise<ProbationView> {
    const [tenant, payer] = [await tenantOf(this.prisma, id), payerOf(address)];
    return { tenant, payer, payments_left: (await paymentsLeft(this.pool, tenant, payer)).toString() };
  }

  /** Ends it; counts for every request that is sent after the answer. Repeatable. */
  @Delete()
  @Idempotent('optional')
  async lift(@Param('tenant') id: string, @Param('payer') address: string): Promise<ProbationView> {
    await this.bus.execute(new LiftProbation(await tenantOf(this.prisma, id), payerOf(address)));
    return this.one(id, address);
  }
}
