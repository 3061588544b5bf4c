import { Controller, Delete, Get, HttpCode, Inject, Param, Post, type Type, UseGuards } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { Pool } from 'pg';
import type { Prisma } from '../../base/platform/prisma.js';
import type { Secrets } from '../../base/platform/secrets.js';
import { POOL, PRISMA, SECRETS } from '../../base/platform/tokens.js';
import { newKey } from '../../domains/customers/key-text.js';
import { IssueTenantKey, RevokeTenantKey } from '../../domains/customers/tenant-key.decide.js';
import { type TenantKeyKind, tenantKeys } from '../../domains/customers/tenant-key.js';
import { type TenantKeyView, tenantKeysOf } from '../../domains/customers/tenant-key.queries.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { Idempotent } from './idempotency.js';
import { tenantOf } from './input.js';

/** The keys that a tenant's servers show as bearer tokens, of one kind. */
function keysController(kind: TenantKeyKind): Type<unknown> {
  @Controller(`admin/v1/tenants/:tenant/${kind}-keys`)
  @UseGuards(AdminKeyGuard)
  class TenantKeysController {
    constructor(
      @Inject(PRISMA) private readonly prisma: Prisma,
      @Inject(POOL) private readonly pool: Pool,
      @Inject(CommandBus) private readonly bus: CommandBus,
      @Inject(SECRETS) private readonly secrets: Secrets,
    ) {}

    /** Those that are not revoked, oldest first; at most twenty, so there are no pages. */
    @Get()
    async list(@Param('tenant') id: string): Promise<{ readonly data: TenantKeyView[] }> {
      return { data: await tenantKeysOf(this.pool, kind, await tenantOf(this.prisma, id)) };
    }

    /** The one answer that holds the key. */
    @Post()
    @Idempotent('required')
    async issue(@Param('tenant') id: string): Promise<{ readonly id: string; readonly key: string }> {
      const tenant = await tenantOf(this.prisma, id);
      const { key, ...made } = newKey(this.secrets.customerKeySecret, tenantKeys[kind].prefix);
      await this.bus.execute(new IssueTenantKey(kind, tenant, made));
      return { id: made.id, key };
    }

    /** The key is no good for any request that is sent after the answer. Repeatable. */
    @Delete(':key')
    @HttpCode(204)
    @Idempotent('optional')
    async revoke(@Param('tenant') id: string, @Param('key') key: string): Promise<void> {
      await this.bus.execute(new RevokeTenantKey(kind, await tenantOf(this.prisma, id), key));
    }
  }
  Object.defineProperty(TenantKeysController, 'name', { value: `${kind}KeysController` });
  return TenantKeysController;
}

export const FacilitatorKeysController = keysController('facilitator');
export const IngestionKeysController = keysController('ingestion');
