import { Controller, Delete, Get, HttpCode, Inject, Param, Post, UseGuards } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { Prisma } from '../../base/platform/prisma.js';
import type { Secrets } from '../../base/platform/secrets.js';
import { PRISMA, SECRETS } from '../../base/platform/tokens.js';
import { IssueFacilitatorKey, RevokeFacilitatorKey } from '../../domains/customers/facilitator-key.decide.js';
import { type FacilitatorKeyView, facilitatorKeysOf } from '../../domains/customers/facilitator-key.queries.js';
import { FACILITATOR_KEY, newKey } from '../../domains/customers/key-text.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { Idempotent } from './idempotency.js';
import { tenantOf } from './input.js';

/** The keys by which a tenant's servers use the gateway as their facilitator, as bearer tokens. */
@Controller('admin/v1/tenants/:tenant/facilitator-keys')
@UseGuards(AdminKeyGuard)
export class FacilitatorKeysController {
  constructor(
    @Inject(PRISMA) private readonly prisma: Prisma,
    @Inject(CommandBus) private readonly bus: CommandBus,
    @Inject(SECRETS) private readonly secrets: Secrets,
  ) {}

  /** Those that are not revoked, oldest first; at most twenty, so there are no pages. */
  @Get()
  async list(@Param('tenant') id: string): Promise<{ readonly data: FacilitatorKeyView[] }> {
    return { data: await facilitatorKeysOf(this.prisma, await tenantOf(this.prisma, id)) };
  }

  /** The one answer that holds the key. */
  @Post()
  @Idempotent('required')
  async issue(@Param('tenant') id: string): Promise<{ readonly id: string; readonly key: string }> {
    const tenant = await tenantOf(this.prisma, id);
    const { key, ...made } = newKey(this.secrets.customerKeySecret, FACILITATOR_KEY);
    await this.bus.execute(new IssueFacilitatorKey(tenant, made));
    return { id: made.id, key };
  }

  /** The key is no good for any request that is sent after the answer. Repeatable. */
  @Delete(':key')
  @HttpCode(204)
  @Idempotent('optional')
  async revoke(@Param('tenant') id: string, @Param('key') key: string): Promise<void> {
    await this.bus.execute(new RevokeFacilitatorKey(await tenantOf(this.prisma, id), key));
  }
}
