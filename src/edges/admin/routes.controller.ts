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
import { z } from 'zod';
import type { Written } from '../../base/event-store/expected.js';
import type { Prisma } from '../../base/platform/prisma.js';
import { PRISMA } from '../../base/platform/tokens.js';
import { Problem } from '../../base/shared/problem.js';
import { PublishRoute, WithdrawRoute } from '../../domains/pricing/catalogue.decide.js';
import { findRoute, listRoutes, type OwnedKey, routeView } from '../../domains/pricing/catalogue.queries.js';
import { type Route, routeSchema } from '../../domains/pricing/catalogue.schemas.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { expectedBy, tagged } from './etag.js';
import { Idempotent } from './idempotency.js';
import { idOf, parseBody, parseQuery, tenantOf, text } from './input.js';
import { decodeCursor, type Page, pageOf, pageQuery } from './paging.js';

const listQuery = pageQuery.extend({ tenant: text().optional(), tariff: text().optional() });

/** What a route is that does not say otherwise; its path at the upstream is that of its pattern. */
const DEFAULTS = {
  description: '',
  mimeType: 'application/json',
  mode: 'async',
  idempotent: false,
  chargeClientErrors: false,
  maxTimeoutSeconds: 300,
  timeoutMs: 30_000,
  maxBodyBytes: 1_048_576,
};

/** What is sold: which requests go where, under which tariff. */
@Controller('admin/v1/routes')
@UseGuards(AdminKeyGuard)
export class RoutesController {
  constructor(
    @Inject(PRISMA) private readonly prisma: Prisma,
    @Inject(CommandBus) private readonly bus: CommandBus,
  ) {}

  /** By tenant and id. */
  @Get()
  async list(@Query() query: unknown): Promise<Page<Route>> {
    const { cursor, limit, ...filter } = parseQuery(listQuery, query);
    const after = cursor === undefined ? undefined : (decodeCursor(cursor, 2) as unknown as OwnedKey);
    const rows = await listRoutes(this.prisma, filter, after, limit);
    return pageOf(rows, limit, ({ id, tenant }) => [tenant, id], routeView);
  }

  @Get(':tenant/:route')
  async one(
    @Param('tenant') tenant: string,
    @Param('route') id: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Route | undefined> {
    const row = await findRoute(this.prisma, tenant, id);
    if (!row) throw new Problem('not_found');
    return tagged(request, reply, row.revision) ? undefined : routeView(row);
  }

  /** Publishes the route, or replaces what is published: a member that is left out is its default. */
  @Put(':tenant/:route')
  @Idempotent('optional')
  async publish(
    @Param('tenant') tenant: string,
    @Param('route') id: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Route | undefined> {
    const named = parseBody(z.looseObject({}), body);
    const route = parseBody(routeSchema, {
      ...DEFAULTS,
      upstreamPath: named.pattern,
      ...named,
      tenant: idOf(tenant, named.tenant),
      id: idOf(id, named.id),
    });
    const command = new PublishRoute(route, expectedBy(request, 'unstated'));
    const { created } = await this.bus.execute<PublishRoute, Written>(command);
    void reply.status(created ? 201 : 200);
    return this.one(tenant, id, request, reply);
  }

  /** Repeatable; a route that is not published need not be withdrawn. */
  @Delete(':tenant/:route')
  @HttpCode(204)
  @Idempotent('optional')
  async withdraw(
    @Param('tenant') tenant: string,
    @Param('route') id: string,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    await this.bus.execute(new WithdrawRoute(await tenantOf(this.prisma, tenant), id, expectedBy(request, undefined)));
  }
}
