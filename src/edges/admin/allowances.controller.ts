import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Put, Req, Res, UseGuards } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Written } from '../../base/event-store/expected.js';
import type { Prisma } from '../../base/platform/prisma.js';
import { PRISMA } from '../../base/platform/tokens.js';
import type { Address } from '../../base/shared/hex.js';
import { Problem } from '../../base/shared/problem.js';
import { RemoveAllowance, SetAllowance } from '../../domains/customers/allowance.decide.js';
import { EACH } from '../../domains/customers/allowance.js';
import { type AllowanceView, allowanceView, findAllowance } from '../../domains/customers/allowance.queries.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { expectedBy, tagged } from './etag.js';
import { Idempotent } from './idempotency.js';
import { parseBody, payerOf, tenantOf } from './input.js';

const allowanceBody = z.strictObject({
  counts: z.enum(['requests', 'units']),
  limit: z.string().regex(/^(?:0|[1-9][0-9]{0,29})$/, 'a whole number in decimal, 30 digits at most'),
  period: z.enum(['day', 'month']),
});

/** Reads and writes one allowance; `payer` absent: the one that each proven customer has. */
class AllowanceDesk {
  constructor(
    private readonly prisma: Prisma,
    private readonly bus: CommandBus,
    private readonly request: FastifyRequest,
    private readonly reply: FastifyReply,
  ) {}

  async show(id: string, payer: Address | undefined): Promise<AllowanceView | undefined> {
    const row = await findAllowance(this.prisma, await tenantOf(this.prisma, id), payer ?? EACH);
    if (!row) throw new Problem('not_found', 'No allowance');
    return tagged(this.request, this.reply, row.revision) ? undefined : allowanceView(row);
  }

  async set(id: string, payer: Address | undefined, body: unknown): Promise<AllowanceView | undefined> {
    const allowance = parseBody(allowanceBody, body);
    const tenant = await tenantOf(this.prisma, id);
    const command = new SetAllowance(tenant, payer, allowance, expectedBy(this.request, undefined));
    const { created } = await this.bus.execute<SetAllowance, Written>(command);
    void this.reply.status(created ? 201 : 200);
    return this.show(tenant, payer);
  }

  async remove(id: string, payer: Address | undefined): Promise<void> {
    const tenant = await tenantOf(this.prisma, id);
    await this.bus.execute(new RemoveAllowance(tenant, payer, expectedBy(this.request, undefined)));
  }
}

/** What one customer may use without paying, in each calendar day or month (UTC). */
@Controller('admin/v1/customers/:tenant/:payer/allowance')
@UseGuards(AdminKeyGuard)
export class CustomerAllowanceController {
  constructor(
    @Inject(PRISMA) private readonly prisma: Prisma,
    @Inject(CommandBus) private readonly bus: CommandBus,
  ) {}

  @Get()
  one(
    @Param('tenant') tenant: string,
    @Param('payer') payer: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AllowanceView | undefined> {
    return this.desk(request, reply).show(tenant, payerOf(payer));
  }

  @Put()
  @Idempotent('optional')
  set(
    @Param('tenant') tenant: string,
    @Param('payer') payer: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AllowanceView | undefined> {
    return this.desk(request, reply).set(tenant, payerOf(payer), body);
  }

  /** Then the one that each proven customer has counts again, if there is one. Repeatable. */
  @Delete()
  @HttpCode(204)
  @Idempotent('optional')
  remove(
    @Param('tenant') tenant: string,
    @Param('payer') payer: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    return this.desk(request, reply).remove(tenant, payerOf(payer));
  }

  private desk(request: FastifyRequest, reply: FastifyReply): AllowanceDesk {
    return new AllowanceDesk(this.prisma, this.bus, request, reply);
  }
}

/** What each customer who proves who it is may use without paying, unless it has an allowance of its own. */
@Controller('admin/v1/allowances/:tenant')
@UseGuards(AdminKeyGuard)
export class AllowancesController {
  constructor(
    @Inject(PRISMA) private readonly prisma: Prisma,
    @Inject(CommandBus) private readonly bus: CommandBus,
  ) {}

  @Get()
  one(
    @Param('tenant') tenant: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AllowanceView | undefined> {
    return this.desk(request, reply).show(tenant, undefined);
  }

  @Put()
  @Idempotent('optional')
  set(
    @Param('tenant') tenant: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AllowanceView | undefined> {
    return this.desk(request, reply).set(tenant, undefined, body);
  }

  @Delete()
  @HttpCode(204)
  @Idempotent('optional')
  remove(
    @Param('tenant') tenant: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    return this.desk(request, reply).remove(tenant, undefined);
  }

  private desk(request: FastifyRequest, reply: FastifyReply): AllowanceDesk {
    return new AllowanceDesk(this.prisma, this.bus, request, reply);
  }
}
