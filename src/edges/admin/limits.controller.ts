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
import type { Pool } from 'pg';
import type { Written } from '../../base/event-store/expected.js';
import type { Prisma } from '../../base/platform/prisma.js';
import { CLOCK, POOL, PRISMA } from '../../base/platform/tokens.js';
import type { Clock } from '../../base/shared/clock.js';
import { Problem, refuseFaults } from '../../base/shared/problem.js';
import { PublishLimit, WithdrawLimit } from '../../domains/limits/limit.decide.js';
import { type LimitRules, limitSchema } from '../../domains/limits/limit.schemas.js';
import {
  findLimit,
  type LimitKey,
  type LimitUsage,
  type LimitView,
  limitKey,
  limitView,
  listLimits,
  usageOf,
} from '../../domains/limits/limits.queries.js';
import { findTenant, routesOf } from '../../domains/pricing/catalogue.queries.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { expectedBy, tagged } from './etag.js';
import { Idempotent } from './idempotency.js';
import { idOf, parseBody, parseQuery, tenantOf, text } from './input.js';
import { decodeCursor, type Page, pageOf, pageQuery } from './paging.js';

const listQuery = pageQuery.extend({ tenant: text().optional() });

/** Quotas, spending limits and exposure, as data. A change reaches every gateway within a second. */
@Controller('admin/v1/limits')
@UseGuards(AdminKeyGuard)
export class LimitsController {
  constructor(
    @Inject(PRISMA) private readonly prisma: Prisma,
    @Inject(POOL) private readonly pool: Pool,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(CommandBus) private readonly bus: CommandBus,
  ) {}

  /** By tenant and id. */
  @Get()
  async list(@Query() query: unknown): Promise<Page<LimitView>> {
    const { cursor, limit, ...filter } = parseQuery(listQuery, query);
    const after = cursor === undefined ? undefined : (decodeCursor(cursor, 2) as unknown as LimitKey);
    return pageOf(await listLimits(this.prisma, filter, after, limit), limit, limitKey, limitView);
  }

  @Get(':tenant/:id')
  async one(
    @Param('tenant') tenant: string,
    @Param('id') id: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<LimitView | undefined> {
    const row = await findLimit(this.prisma, tenant, id);
    if (!row) throw new Problem('not_found');
    return tagged(request, reply, row.revision) ? undefined : limitView(row);
  }

  /** What is used now, by payer where each has its own. Exposure is in the ledger. */
  @Get(':tenant/:id/usage')
  async usage(
    @Param('tenant') owner: string,
    @Param('id') id: string,
    @Query() query: unknown,
  ): Promise<Page<LimitUsage>> {
    const { cursor, limit } = parseQuery(pageQuery, query);
    const [row, tenant] = await Promise.all([findLimit(this.prisma, owner, id), findTenant(this.prisma, owner)]);
    if (!row || !tenant) throw new Problem('not_found');
    const { rules } = limitView(row);
    if (rules.measure === 'exposure') throw new Problem('not_found', 'Exposure is what customers owe: see the ledger');
    const after = cursor === undefined ? undefined : decodeCursor(cursor, 1)[0];
    const used = await usageOf(this.pool, { tenant, id, rules }, after, limit, this.clock());
    return pageOf(
      used,
      limit,
      ({ payer = '*' }) => [payer],
      (one) => one,
    );
  }

  @Put(':tenant/:id')
  @Idempotent('optional')
  async publish(
    @Param('tenant') tenant: string,
    @Param('id') id: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<LimitView | undefined> {
    const rules = parseBody(limitSchema, body);
    const owner = await tenantOf(this.prisma, tenant);
    await this.checkRoutes(owner, rules);
    const command = new PublishLimit(owner, idOf(id, undefined), rules, expectedBy(request, undefined));
    const { created } = await this.bus.execute<PublishLimit, Written>(command);
    void reply.status(created ? 201 : 200);
    return this.one(tenant, id, request, reply);
  }

  /** Repeatable. Published again within the same window, it goes on with what was used. */
  @Delete(':tenant/:id')
  @HttpCode(204)
  @Idempotent('optional')
  async withdraw(
    @Param('tenant') tenant: string,
    @Param('id') id: string,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    const owner = await tenantOf(this.prisma, tenant);
    await this.bus.execute(new WithdrawLimit(owner, id, expectedBy(request, undefined)));
  }

  /** A limit of a route that nobody can ask for would limit nothing. @throws Problem `invalid_request` */
  private async checkRoutes(tenant: string, rules: LimitRules): Promise<void> {
    if (rules.measure === 'exposure' || rules.routes === undefined) return;
    const known = await routesOf(this.prisma, tenant, rules.routes);
    const errors = rules.routes.flatMap((id, index) =>
      known.has(id) ? [] : [{ pointer: `#/routes/${index}`, detail: `no route ${id} is published` }],
    );
    refuseFaults(errors);
  }
}
