import { Body, Controller, Get, Inject, Param, Put, Req, Res, UseGuards } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Written } from '../../base/event-store/expected.js';
import type { Config } from '../../base/platform/config.js';
import type { Prisma } from '../../base/platform/prisma.js';
import { CLOCK, CONFIG, PRISMA } from '../../base/platform/tokens.js';
import type { Clock } from '../../base/shared/clock.js';
import { refuseFaults } from '../../base/shared/problem.js';
import { ChooseFacilitators } from '../../domains/settlement/facilitators/facilitator-list.decide.js';
import { noFacilitators } from '../../domains/settlement/facilitators/facilitator-list.js';
import {
  type FacilitatorsBody,
  facilitatorsSchema,
} from '../../domains/settlement/facilitators/facilitator-list.schemas.js';
import { findFacilitators } from '../../domains/settlement/facilitators/facilitators.queries.js';
import { FacilitatorHealths } from '../health/facilitator-healths.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { expectedBy, tagged } from './etag.js';
import { type FacilitatorsView, facilitatorsView } from './facilitators.view.js';
import { Idempotent } from './idempotency.js';
import { parseBody, tenantOf } from './input.js';
import { isOwnAddress } from './own-address.js';

/** Who settles a tenant's payments beside the settlers here. A change reaches every worker within two seconds. */
@Controller('admin/v1/tenants/:tenant/facilitators')
@UseGuards(AdminKeyGuard)
export class FacilitatorsController {
  constructor(
    @Inject(PRISMA) private readonly prisma: Prisma,
    @Inject(CommandBus) private readonly bus: CommandBus,
    @Inject(FacilitatorHealths) private readonly healths: FacilitatorHealths,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** With how they do of late. The `ETag` is of what was chosen, not of that. */
  @Get()
  async one(
    @Param('tenant') id: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<FacilitatorsView | undefined> {
    const tenant = await tenantOf(this.prisma, id);
    const found = await findFacilitators(this.prisma, tenant);
    if (found && tagged(request, reply, found.revision)) return undefined;
    return facilitatorsView(tenant, found?.list ?? noFacilitators, await this.healths.read(), this.clock());
  }

  /** Replaces the list; a facilitator of which no `authorization` is named keeps the one that stands. */
  @Put()
  @Idempotent('optional')
  async choose(
    @Param('tenant') id: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<FacilitatorsView | undefined> {
    const chosen = parseBody(facilitatorsSchema, body);
    this.checkOthers(chosen);
    const tenant = await tenantOf(this.prisma, id);
    const command = new ChooseFacilitators(tenant, chosen, expectedBy(request, undefined));
    const { created } = await this.bus.execute<ChooseFacilitators, Written>(command);
    void reply.status(created ? 201 : 200);
    return this.one(tenant, request, reply);
  }

  /** This gateway would wait for itself. @throws Problem `invalid_request` */
  private checkOthers({ facilitators }: FacilitatorsBody): void {
    const errors = facilitators.flatMap(({ url }, index) =>
      isOwnAddress(url, this.config)
        ? [{ pointer: `#/facilitators/${index}/url`, detail: 'is this Tollbook; say "own": "last" for its settlers' }]
        : [],
    );
    refuseFaults(errors);
  }
}
