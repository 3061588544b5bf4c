import { Body, Controller, Get, Inject, Param, Put, Query, Req, Res, UseGuards } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Pool } from 'pg';
import { z } from 'zod';
import type { Written } from '../../base/event-store/expected.js';
import type { Prisma } from '../../base/platform/prisma.js';
import { POOL, PRISMA } from '../../base/platform/tokens.js';
import { Problem } from '../../base/shared/problem.js';
import { PublishTariff } from '../../domains/pricing/catalogue.decide.js';
import {
  findTariffVersion,
  listTariffs,
  type OwnedKey,
  type TariffVersionView,
  type TariffView,
  tariffVersions,
  tariffVersionView,
  tariffView,
} from '../../domains/pricing/catalogue.queries.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { expectedBy, tagged } from './etag.js';
import { Idempotent } from './idempotency.js';
import { idOf, instant, parseBody, parseQuery, tenantOf, text } from './input.js';
import { decodeCursor, type Page, pageOf, pageQuery } from './paging.js';
import { assertTariff } from './tariff-input.js';

const VERSION = /^[1-9][0-9]{0,8}$/;

const listQuery = pageQuery.extend({ tenant: text().optional() });

const tariffBody = z.strictObject({
  /** Checked apart, by `checkTariff`. */
  rules: z.looseObject({}),
  /** When this version begins, RFC 3339; at once if absent, never in the past. */
  effectiveFrom: instant.optional(),
});

/** What requests cost. A version never changes; a new one takes its place when it begins. */
@Controller('admin/v1/tariffs')
@UseGuards(AdminKeyGuard)
export class TariffsController {
  constructor(
    @Inject(PRISMA) private readonly prisma: Prisma,
    @Inject(POOL) private readonly pool: Pool,
    @Inject(CommandBus) private readonly bus: CommandBus,
  ) {}

  /** The newest version of each, by tenant and id. */
  @Get()
  async list(@Query() query: unknown): Promise<Page<TariffVersionView>> {
    const { cursor, limit, ...filter } = parseQuery(listQuery, query);
    const after = cursor === undefined ? undefined : (decodeCursor(cursor, 2) as unknown as OwnedKey);
    const rows = await listTariffs(this.pool, filter, after, limit);
    return pageOf(rows, limit, ({ id, tenant }) => [tenant, id], tariffVersionView);
  }

  /** All versions. */
  @Get(':tenant/:tariff')
  async one(
    @Param('tenant') tenant: string,
    @Param('tariff') id: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TariffView | undefined> {
    const rows = await tariffVersions(this.prisma, tenant, id);
    const [newest] = rows;
    if (!newest) throw new Problem('not_found');
    return tagged(request, reply, newest.version) ? undefined : tariffView(rows);
  }

  @Get(':tenant/:tariff/versions/:version')
  async version(
    @Param('tenant') tenant: string,
    @Param('tariff') id: string,
    @Param('version') number: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TariffVersionView | undefined> {
    const row = VERSION.test(number) ? await findTariffVersion(this.prisma, tenant, id, Number(number)) : null;
    if (!row) throw new Problem('not_found');
    return tagged(request, reply, row.version) ? undefined : tariffVersionView(row);
  }

  /** Publishes another version, unless the newest one says the same already. Nothing that was published is overwritten. */
  @Put(':tenant/:tariff')
  @Idempotent('optional')
  async publish(
    @Param('tenant') tenant: string,
    @Param('tariff') id: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TariffView | undefined> {
    const { effectiveFrom, rules } = parseBody(tariffBody, body);
    assertTariff(rules);
    const owner = await tenantOf(this.prisma, tenant);
    const expected = expectedBy(request, undefined);
    const command = new PublishTariff(owner, idOf(id, undefined), rules, effectiveFrom?.getTime(), expected);
    const { created } = await this.bus.execute<PublishTariff, Written>(command);
    void reply.status(created ? 201 : 200);
    return this.one(tenant, id, request, reply);
  }
}
