import { Controller, Get, Inject, Param, UseGuards } from '@nestjs/common';
import type { Pool } from 'pg';
import type { Prisma } from '../../base/platform/prisma.js';
import { CLOCK, POOL, PRISMA } from '../../base/platform/tokens.js';
import type { Clock } from '../../base/shared/clock.js';
import { type UsedAllowanceView, usedAllowance } from '../../domains/customers/allowance.queries.js';
import { type KeyView, keysOf, keyView } from '../../domains/customers/customer-key.queries.js';
import {
  type CustomerTariffView,
  customerTariffsOf,
  customerTariffView,
} from '../../domains/customers/customer-tariff.queries.js';
import { findStanding, noStanding, type StandingView, standingView } from '../../domains/customers/standing.queries.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { payerOf, tenantOf } from './input.js';

interface AccountView extends Pick<StandingView, 'tenant' | 'payer' | 'standing' | 'reason'> {
  readonly keys: readonly KeyView[];
  /** Of its own, on the routes that are named. */
  readonly tariffs: readonly CustomerTariffView[];
  /** `null`: it pays for everything. */
  readonly allowance: UsedAllowanceView | null;
}

/** How a payer stands with a tenant, at one glance; also of a payer about whom nothing is noted. */
@Controller('admin/v1/customers/:tenant/:payer/account')
@UseGuards(AdminKeyGuard)
export class CustomerAccountController {
  constructor(
    @Inject(PRISMA) private readonly prisma: Prisma,
    @Inject(POOL) private readonly pool: Pool,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get()
  async one(@Param('tenant') id: string, @Param('payer') address: string): Promise<AccountView> {
    const [tenant, payer] = [await tenantOf(this.prisma, id), payerOf(address)];
    const [row, keys, tariffs, allowance] = await Promise.all([
      findStanding(this.prisma, tenant, payer),
      keysOf(this.prisma, tenant, payer),
      customerTariffsOf(this.prisma, tenant, payer),
      usedAllowance(this.prisma, this.pool, { tenant, payer }, this.clock()),
    ]);
    const { reason, standing } = row ? standingView(row) : noStanding(tenant, payer);
    const own = { keys: keys.map(keyView), tariffs: tariffs.map(customerTariffView) };
    return { tenant, payer, standing, reason, ...own, allowance: allowance ?? null };
  }
}
