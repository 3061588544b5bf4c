import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Put, Query, UseGuards } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { Prisma } from '../../base/platform/prisma.js';
import { PRISMA } from '../../base/platform/tokens.js';
import { Problem } from '../../base/shared/problem.js';
import { DescribeCustomer, EraseCustomer } from '../../domains/customers/customer.decide.js';
import { customerDetailsSchema } from '../../domains/customers/customer.schemas.js';
import {
  type CustomerKey,
  type CustomerView,
  customerKey,
  customerView,
  findCustomer,
  listCustomers,
} from '../../domains/customers/customers.queries.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { parseBody, parseQuery, payerOf, tenantOf, text } from './input.js';
import { decodeCursor, type Page, pageOf, pageQuery } from './paging.js';

const listQuery = pageQuery.extend({ tenant: text().optional() });

/** Who the payers of a tenant are, as far as it was noted. */
@Controller('admin/v1/customers')
@UseGuards(AdminKeyGuard)
export class CustomersController {
  constructor(
    @Inject(PRISMA) private readonly prisma: Prisma,
    @Inject(CommandBus) private readonly bus: CommandBus,
  ) {}

  /** By tenant and payer. */
  @Get()
  async list(@Query() query: unknown): Promise<Page<CustomerView>> {
    const { cursor, limit, ...filter } = parseQuery(listQuery, query);
    const after = cursor === undefined ? undefined : (decodeCursor(cursor, 2) as unknown as CustomerKey);
    return pageOf(await listCustomers(this.prisma, filter, after, limit), limit, customerKey, customerView);
  }

  @Get(':tenant/:payer')
  async one(@Param('tenant') tenant: string, @Param('payer') payer: string): Promise<CustomerView> {
    const row = await findCustomer(this.prisma, tenant, payerOf(payer));
    if (!row) throw new Problem('not_found');
    return customerView(row);
  }

  /** Replaces what is noted: a field that is left out is not kept. */
  @Put(':tenant/:payer')
  async describe(
    @Param('tenant') tenant: string,
    @Param('payer') payer: string,
    @Body() body: unknown,
  ): Promise<CustomerView> {
    const details = parseBody(customerDetailsSchema, body);
    await this.bus.execute(new DescribeCustomer(await tenantOf(this.prisma, tenant), payerOf(payer), details));
    return this.one(tenant, payer);
  }

  /** Repeatable; nothing to erase is fine. */
  @Delete(':tenant/:payer')
  @HttpCode(204)
  async erase(@Param('tenant') tenant: string, @Param('payer') payer: string): Promise<void> {
    await this.bus.execute(new EraseCustomer(await tenantOf(this.prisma, tenant), payerOf(payer)));
  }
}
