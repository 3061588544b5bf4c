import { Body, Controller, Delete, Get, Inject, Param, Put, Query, UseGuards } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { z } from 'zod';
import type { Prisma } from '../../base/platform/prisma.js';
import { PRISMA } from '../../base/platform/tokens.js';
import { ChangeListMode, ListPayer, UnlistPayer } from '../../domains/customers/standing.decide.js';
import { listReasons } from '../../domains/customers/standing.js';
import {
  listModeOf,
  listStandings,
  type StandingView,
  standingOf,
  standingView,
} from '../../domains/customers/standing.queries.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { parseBody, parseQuery, payerOf, tenantOf } from './input.js';
import { decodeCursor, type Page, pageOf, pageQuery } from './paging.js';

const standingBody = z.strictObject({ standing: z.enum(['allowed', 'denied']), reason: z.enum(listReasons) });
const modeBody = z.strictObject({ mode: z.enum(['open', 'allow_listed']) });
const listQuery = pageQuery.extend({ standing: z.enum(['allowed', 'denied']).optional() });

/** Whether a tenant serves one payer. A denial counts for every request that is sent after its answer. */
@Controller('admin/v1/customers/:tenant/:payer/standing')
@UseGuards(AdminKeyGuard)
export class StandingsController {
  constructor(
    @Inject(PRISMA) private readonly prisma: Prisma,
    @Inject(CommandBus) private readonly bus: CommandBus,
  ) {}

  @Get()
  async one(@Param('tenant') id: string, @Param('payer') payer: string): Promise<StandingView> {
    return standingOf(this.prisma, await tenantOf(this.prisma, id), payerOf(payer));
  }

  @Put()
  async list(@Param('tenant') id: string, @Param('payer') payer: string, @Body() body: unknown): Promise<StandingView> {
    const { reason, standing } = parseBody(standingBody, body);
    const tenant = await tenantOf(this.prisma, id);
    const list = standing === 'allowed' ? 'allow' : 'deny';
    await this.bus.execute(new ListPayer(tenant, payerOf(payer), list, reason));
    return this.one(tenant, payer);
  }

  /** Takes the payer off both lists; repeatable. */
  @Delete()
  async unlist(@Param('tenant') id: string, @Param('payer') payer: string): Promise<StandingView> {
    const tenant = await tenantOf(this.prisma, id);
    await this.bus.execute(new UnlistPayer(tenant, payerOf(payer)));
    return this.one(tenant, payer);
  }
}

interface ModeView {
  readonly tenant: string;
  readonly mode: 'open' | 'allow_listed';
}

/** A tenant's lists as wholes: whom it serves that is on neither, and who is on them. */
@Controller('admin/v1/lists/:tenant')
@UseGuards(AdminKeyGuard)
export class ListsController {
  constructor(
    @Inject(PRISMA) private readonly prisma: Prisma,
    @Inject(CommandBus) private readonly bus: CommandBus,
  ) {}

  @Get()
  async mode(@Param('tenant') id: string): Promise<ModeView> {
    const tenant = await tenantOf(this.prisma, id);
    return { tenant, mode: await listModeOf(this.prisma, tenant) };
  }

  @Put()
  async change(@Param('tenant') id: string, @Body() body: unknown): Promise<ModeView> {
    const { mode } = parseBody(modeBody, body);
    const tenant = await tenantOf(this.prisma, id);
    await this.bus.execute(new ChangeListMode(tenant, mode));
    return this.mode(tenant);
  }

  /** By address. */
  @Get('payers')
  async payers(@Param('tenant') id: string, @Query() query: unknown): Promise<Page<StandingView>> {
    const { cursor, limit, standing } = parseQuery(listQuery, query);
    const filter = { tenant: await tenantOf(this.prisma, id), ...(standing === undefined ? {} : { standing }) };
    const after = cursor === undefined ? undefined : decodeCursor(cursor, 1)[0];
    return pageOf(await listStandings(this.prisma, filter, after, limit), limit, ({ payer }) => [payer], standingView);
  }
}
