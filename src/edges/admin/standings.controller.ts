import { Body, Controller, Delete, Get, Inject, Param, Put, Query, Req, Res, UseGuards } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { EVERYBODY } from '../../base/event-store/standings.js';
import type { Prisma } from '../../base/platform/prisma.js';
import { PRISMA } from '../../base/platform/tokens.js';
import { ChangeListMode, ListPayer, UnlistPayer } from '../../domains/customers/standing.decide.js';
import { type ListMode, listReasons } from '../../domains/customers/standing.js';
import {
  findStanding,
  listModeOf,
  listStandings,
  noStanding,
  type StandingView,
  standingView,
} from '../../domains/customers/standing.queries.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { expectedBy, tagged } from './etag.js';
import { Idempotent } from './idempotency.js';
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
  async one(
    @Param('tenant') id: string,
    @Param('payer') address: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StandingView | undefined> {
    const [tenant, payer] = [await tenantOf(this.prisma, id), payerOf(address)];
    const row = await findStanding(this.prisma, tenant, payer);
    if (!row) return noStanding(tenant, payer);
    return tagged(request, reply, row.revision) ? undefined : standingView(row);
  }

  @Put()
  @Idempotent('optional')
  async list(
    @Param('tenant') id: string,
    @Param('payer') payer: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StandingView | undefined> {
    const { reason, standing } = parseBody(standingBody, body);
    const tenant = await tenantOf(this.prisma, id);
    const list = standing === 'allowed' ? 'allow' : 'deny';
    await this.bus.execute(new ListPayer(tenant, payerOf(payer), list, reason, expectedBy(request, undefined)));
    return this.one(tenant, payer, request, reply);
  }

  /** Takes the payer off both lists; repeatable. */
  @Delete()
  @Idempotent('optional')
  async unlist(
    @Param('tenant') id: string,
    @Param('payer') payer: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StandingView | undefined> {
    const tenant = await tenantOf(this.prisma, id);
    await this.bus.execute(new UnlistPayer(tenant, payerOf(payer), expectedBy(request, undefined)));
    return this.one(tenant, payer, request, reply);
  }
}

interface ModeView {
  readonly tenant: string;
  readonly mode: ListMode;
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
  async mode(
    @Param('tenant') id: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ModeView | undefined> {
    const tenant = await tenantOf(this.prisma, id);
    const row = await findStanding(this.prisma, tenant, EVERYBODY);
    if (row && tagged(request, reply, row.revision)) return undefined;
    return { tenant, mode: listModeOf(row) };
  }

  @Put()
  @Idempotent('optional')
  async change(
    @Param('tenant') id: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ModeView | undefined> {
    const { mode } = parseBody(modeBody, body);
    const tenant = await tenantOf(this.prisma, id);
    await this.bus.execute(new ChangeListMode(tenant, mode, expectedBy(request, undefined)));
    return this.mode(tenant, request, reply);
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
