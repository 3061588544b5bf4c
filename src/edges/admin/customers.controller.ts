import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Put,
  Query,
  Req,
  Res,
  UseGuards,
} from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { FastifyReply, FastifyRequest } from 'fastify';
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
import { expectedBy, tagged } from './etag.js';
import { Idempotent } from './idempotency.js';
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
  async one(
    @Param('tenant') tenant: string,
    @Param('payer') payer: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CustomerView | undefined> {
    const row = await findCustomer(this.prisma, tenant, payerOf(payer));
    if (!row) throw new Problem('not_found');
    return tagged(request, reply, row.revision) ? undefined : customerView(row);
  }

  /** Replaces what is noted: a field that is left out is not kept. */
  @Put(':tenant/:payer')
  @Idempotent('optional')
  async describe(
    @Param('tenant') tenant: string,
    @Param('payer') payer: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CustomerView | undefined> {
    const details = parseBody(customerDetailsSchema, body);
    const expected = expectedBy(request, undefined);
    const owner = await tenantOf(this.prisma, tenant);
    await this.bus.execute(new DescribeCustomer(owner, payerOf(payer), details, expected));
    return this.one(tenant, payer, request, reply);
  }

  /** Repeatable; nothing to erase is fine. */
  @Delete(':tenant/:payer')
  @HttpCode(204)
  @Idempotent('optional')
  async erase(
    @Param('tenant') tenant: string,
    @Param('payer') payer: string,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    const owner = await tenantOf(this.prisma, tenant);
    await this.bus.execute(new EraseCustomer(owner, payerOf(payer), expectedBy(request, undefined)));
  }
}
