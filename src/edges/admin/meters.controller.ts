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
import type { Written } from '../../base/event-store/expected.js';
import type { Prisma } from '../../base/platform/prisma.js';
import { PRISMA } from '../../base/platform/tokens.js';
import { Problem } from '../../base/shared/problem.js';
import { PublishMeter, WithdrawMeter } from '../../domains/metering/meter.decide.js';
import { meterId, meterSchema } from '../../domains/metering/meter.schemas.js';
import {
  findMeter,
  listMeters,
  type MeterKey,
  type MeterView,
  meterKey,
  meterView,
} from '../../domains/metering/meters.queries.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { expectedBy, tagged } from './etag.js';
import { Idempotent } from './idempotency.js';
import { parseBody, parseQuery, tenantOf, text } from './input.js';
import { decodeCursor, type Page, pageOf, pageQuery } from './paging.js';

const listQuery = pageQuery.extend({ tenant: text().optional() });

/** What is counted of usage events, as data. A change counts for events that are sent after its answer. */
@Controller('admin/v1/meters')
@UseGuards(AdminKeyGuard)
export class MetersController {
  constructor(
    @Inject(PRISMA) private readonly prisma: Prisma,
    @Inject(CommandBus) private readonly bus: CommandBus,
  ) {}

  /** By tenant and id. */
  @Get()
  async list(@Query() query: unknown): Promise<Page<MeterView>> {
    const { cursor, limit, ...filter } = parseQuery(listQuery, query);
    const after = cursor === undefined ? undefined : (decodeCursor(cursor, 2) as unknown as MeterKey);
    return pageOf(await listMeters(this.prisma, filter, after, limit), limit, meterKey, meterView);
  }

  @Get(':tenant/:id')
  async one(
    @Param('tenant') tenant: string,
    @Param('id') id: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<MeterView | undefined> {
    const row = await findMeter(this.prisma, tenant, id);
    if (!row) throw new Problem('not_found');
    return tagged(request, reply, row.revision) ? undefined : meterView(row);
  }

  @Put(':tenant/:id')
  @Idempotent('optional')
  async publish(
    @Param('tenant') tenant: string,
    @Param('id') id: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<MeterView | undefined> {
    const rules = parseBody(meterSchema, body);
    const owner = await tenantOf(this.prisma, tenant);
    const { error } = meterId.safeParse(id);
    if (error) throw new Problem('not_found', `The id of a meter: ${error.issues[0]!.message}`);
    const command = new PublishMeter(owner, id, rules, expectedBy(request, undefined));
    const { created } = await this.bus.execute<PublishMeter, Written>(command);
    void reply.status(created ? 201 : 200);
    return this.one(tenant, id, request, reply);
  }

  /** It counts no further events; what it has counted stays. Repeatable. */
  @Delete(':tenant/:id')
  @HttpCode(204)
  @Idempotent('optional')
  async withdraw(
    @Param('tenant') tenant: string,
    @Param('id') id: string,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    const owner = await tenantOf(this.prisma, tenant);
    await this.bus.execute(new WithdrawMeter(owner, id, expectedBy(request, undefined)));
  }
}
