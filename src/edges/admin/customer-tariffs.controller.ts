import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Put, Req, Res, UseGuards } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Prisma } from '../../base/platform/prisma.js';
import { PRISMA } from '../../base/platform/tokens.js';
import { Problem } from '../../base/shared/problem.js';
import { AssignTariff, RemoveTariff } from '../../domains/customers/customer-tariff.decide.js';
import {
  type CustomerTariffView,
  customerTariffView,
  findCustomerTariff,
  isRoute,
  isTariff,
} from '../../domains/customers/customer-tariff.queries.js';
import { idSchema } from '../../domains/pricing/catalogue.schemas.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { expectedBy, tagged } from './etag.js';
import { Idempotent } from './idempotency.js';
import { parseBody, payerOf, tenantOf } from './input.js';

const assignBody = z.strictObject({ tariff: idSchema });

/** The tariff that a customer pays on one route, in place of the route's own, when it proves who it is. */
@Controller('admin/v1/customers/:tenant/:payer/tariffs/:route')
@UseGuards(AdminKeyGuard)
export class CustomerTariffsController {
  constructor(
    @Inject(PRISMA) private readonly prisma: Prisma,
    @Inject(CommandBus) private readonly bus: CommandBus,
  ) {}

  @Get()
  async one(
    @Param('tenant') id: string,
    @Param('payer') payer: string,
    @Param('route') route: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CustomerTariffView | undefined> {
    const row = await findCustomerTariff(this.prisma, await tenantOf(this.prisma, id), payerOf(payer), route);
    if (!row) throw new Problem('not_found', 'No tariff of its own');
    return tagged(request, reply, row.revision) ? undefined : customerTariffView(row);
  }

  @Put()
  @Idempotent('optional')
  async assign(
    @Param('tenant') id: string,
    @Param('payer') payer: string,
    @Param('route') route: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CustomerTariffView | undefined> {
    const { tariff } = parseBody(assignBody, body);
    const tenant = await tenantOf(this.prisma, id);
    if (!(await isRoute(this.prisma, tenant, route))) throw new Problem('not_found', 'No such route');
    // Neither a route nor a tariff is ever taken away, so what is there now will be there.
    if (!(await isTariff(this.prisma, tenant, tariff))) throw new Problem('tariff_not_published', `tariff ${tariff}`);
    await this.bus.execute(new AssignTariff(tenant, payerOf(payer), route, tariff, expectedBy(request, undefined)));
    return this.one(tenant, payer, route, request, reply);
  }

  /** Repeatable. */
  @Delete()
  @HttpCode(204)
  @Idempotent('optional')
  async remove(
    @Param('tenant') id: string,
    @Param('payer') payer: string,
    @Param('route') route: string,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    const tenant = await tenantOf(this.prisma, id);
    await this.bus.execute(new RemoveTariff(tenant, payerOf(payer), route, expectedBy(request, undefined)));
  }
}
