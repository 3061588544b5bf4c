import { Body, Controller, Get, HttpCode, Inject, Param, Put, UseGuards } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { Pool } from 'pg';
import type { z } from 'zod';
import type { Prisma } from '../../base/platform/prisma.js';
import { CLOCK, POOL, PRISMA } from '../../base/platform/tokens.js';
import type { Clock } from '../../base/shared/clock.js';
import { Problem } from '../../base/shared/problem.js';
import { findAccount } from '../../domains/customers/account.queries.js';
import { offsetOf } from '../../domains/customers/tenant-clock.queries.js';
import { Closer } from '../../domains/invoicing/closer.js';
import type { InvoiceContent } from '../../domains/invoicing/invoice-content.js';
import type { Party } from '../../domains/invoicing/invoice-document.js';
import { setParty } from '../../domains/invoicing/parties.queries.js';
import { AdvanceClock, PriceMeter, SetAccountTaxes, SetInvoicing } from '../../domains/invoicing/settings.decide.js';
import type { InvoicingRules, MeterCharge, TaxRate } from '../../domains/invoicing/settings.js';
import {
  clockSchema,
  invoicingSchema,
  meterPriceSchema,
  partySchema,
  sellerSchema,
  taxesSchema,
} from '../../domains/invoicing/settings.schemas.js';
import { findMeter } from '../../domains/metering/meters.queries.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { Idempotent } from './idempotency.js';
import { customerOf, parseBody, tenantOf } from './input.js';

interface ClockView {
  readonly now: string;
  /** How far it is ahead of the real time. */
  readonly ahead_seconds: number;
}

/** What a draft of everything so far would say. */
type UpcomingView = InvoiceContent & { readonly from: string; readonly to: string };

/** How tenants invoice, and what they ask for usage. */
@Controller('admin/v1')
@UseGuards(AdminKeyGuard)
export class InvoicingController {
  constructor(
    @Inject(PRISMA) private readonly prisma: Prisma,
    @Inject(POOL) private readonly pool: Pool,
    @Inject(CommandBus) private readonly bus: CommandBus,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(Closer) private readonly closer: Closer,
  ) {}

  @Get('tenants/:tenant/clock')
  async time(@Param('tenant') id: string): Promise<ClockView> {
    const offset = await offsetOf(this.pool, await tenantOf(this.prisma, id));
    return { now: new Date(this.clock() + offset).toISOString(), ahead_seconds: Math.floor(offset / 1000) };
  }

  /** For trials: what a tenant bills is by this clock, which only goes forward. */
  @Put('tenants/:tenant/clock')
  @Idempotent('optional')
  async advance(@Param('tenant') id: string, @Body() body: unknown): Promise<ClockView> {
    const { advance_to } = parseBody(clockSchema, body);
    const tenant = await tenantOf(this.prisma, id);
    await this.bus.execute(new AdvanceClock(tenant, Date.parse(advance_to)));
    return this.time(tenant);
  }

  @Get('tenants/:tenant/invoicing')
  async rules(@Param('tenant') id: string): Promise<ReturnType<typeof rulesView>> {
    return rulesView(await this.closer.rulesOf(await tenantOf(this.prisma, id)));
  }

  @Put('tenants/:tenant/invoicing')
  @Idempotent('optional')
  async setRules(@Param('tenant') id: string, @Body() body: unknown): Promise<ReturnType<typeof rulesView>> {
    const { due_days, dunning_days, grace_seconds, number_prefix, threshold } = parseBody(invoicingSchema, body);
    const tenant = await tenantOf(this.prisma, id);
    const times = { graceSeconds: grace_seconds, dueDays: due_days, dunningDays: dunning_days };
    const rules = { numberPrefix: number_prefix, ...times, ...(threshold !== undefined && { threshold }) };
    await this.bus.execute(new SetInvoicing(tenant, rules));
    return rulesView(rules);
  }

  /** Who sells, on invoices that are made final later. */
  @Put('tenants/:tenant/seller')
  @HttpCode(204)
  @Idempotent('optional')
  async seller(@Param('tenant') id: string, @Body() body: unknown): Promise<void> {
    const party = partyOf(parseBody(sellerSchema, body));
    await setParty(this.pool, await tenantOf(this.prisma, id), party);
  }

  @Put('accounts/:tenant/:customer/party')
  @HttpCode(204)
  @Idempotent('optional')
  async buyer(@Param('tenant') id: string, @Param('customer') customer: string, @Body() body: unknown): Promise<void> {
    const party = partyOf(parseBody(partySchema, body));
    await setParty(this.pool, id, party, await this.accountOf(id, customer));
  }

  /** What is added to invoices that are made final later. */
  @Put('accounts/:tenant/:customer/taxes')
  @Idempotent('optional')
  async taxes(
    @Param('tenant') id: string,
    @Param('customer') customer: string,
    @Body() body: unknown,
  ): Promise<{ readonly rates: readonly TaxRate[] }> {
    const { rates } = parseBody(taxesSchema, body);
    await this.bus.execute(new SetAccountTaxes(id, await this.accountOf(id, customer), rates));
    return { rates };
  }

  /** The price of all who have none of their own: for periods that begin later, the first one for all. */
  @Put('meters/:tenant/:meter/price')
  @Idempotent('optional')
  async price(
    @Param('tenant') id: string,
    @Param('meter') meter: string,
    @Body() body: unknown,
  ): Promise<{ readonly charge: MeterCharge }> {
    const { charge } = parseBody(meterPriceSchema, body);
    await this.bus.execute(new PriceMeter(id, await this.meterOf(id, meter), charge));
    return { charge };
  }

  /** The price of one account, for periods that begin later. */
  @Put('accounts/:tenant/:customer/meter-prices/:meter')
  @Idempotent('optional')
  async ownPrice(
    @Param('tenant') id: string,
    @Param('customer') customer: string,
    @Param('meter') meter: string,
    @Body() body: unknown,
  ): Promise<{ readonly charge: MeterCharge }> {
    const { charge } = parseBody(meterPriceSchema, body);
    const of = await this.accountOf(id, customer);
    await this.bus.execute(new PriceMeter(id, await this.meterOf(id, meter), charge, of));
    return { charge };
  }

  @Get('accounts/:tenant/:customer/upcoming-invoice')
  async upcoming(@Param('tenant') id: string, @Param('customer') customer: string): Promise<UpcomingView> {
    const found = await this.closer.upcoming(id, customerOf(customer));
    if (!found) throw new Problem('not_found', 'No such account');
    const { content, cut } = found;
    return { from: cut.after?.to ?? new Date(cut.account.openedAt).toISOString(), to: cut.to, ...content };
  }

  private async accountOf(tenant: string, customer: string): Promise<string> {
    const row = await findAccount(this.prisma, tenant, customerOf(customer));
    if (!row) throw new Problem('not_found', 'No such account');
    return row.customer;
  }

  private async meterOf(tenant: string, meter: string): Promise<string> {
    if (await findMeter(this.prisma, tenant, meter)) return meter;
    throw new Problem('not_found', 'No such meter');
  }
}

function partyOf({ tax_id: taxId, ...same }: z.output<typeof sellerSchema>): Party {
  return { ...same, ...(taxId !== undefined && { taxId }) };
}

function rulesView({ dueDays, dunningDays, graceSeconds, numberPrefix, threshold }: InvoicingRules) {
  return {
    ...{ number_prefix: numberPrefix, grace_seconds: graceSeconds, due_days: dueDays },
    ...(threshold !== undefined && { threshold }),
    dunning_days: dunningDays,
  };
}
