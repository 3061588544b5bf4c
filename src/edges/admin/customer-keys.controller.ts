import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, UseGuards } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { z } from 'zod';
import type { Prisma } from '../../base/platform/prisma.js';
import type { Secrets } from '../../base/platform/secrets.js';
import { PRISMA, SECRETS } from '../../base/platform/tokens.js';
import { IssueKey, RevokeKey, RotateKey } from '../../domains/customers/customer-key.decide.js';
import { type KeyView, keysOf, keyView } from '../../domains/customers/customer-key.queries.js';
import { type NewKey, newKey } from '../../domains/customers/key-text.js';
import { idSchema } from '../../domains/pricing/catalogue.schemas.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { Idempotent } from './idempotency.js';
import { instant, parseBody, payerOf, tenantOf } from './input.js';

const OVERLAP_SECONDS = 86_400;
const OVERLAP_SECONDS_MAX = 30 * 86_400;

const ROUTES_MAX = 100;

const issueBody = z.strictObject({
  expires_at: instant.optional(),
  /** Names of routes, which need not be there yet. */
  routes: z.array(idSchema).min(1).max(ROUTES_MAX).optional(),
});
const rotateBody = z.strictObject({
  overlap_seconds: z.int().min(0).max(OVERLAP_SECONDS_MAX).default(OVERLAP_SECONDS),
});

/** The one answer that holds a key. */
interface ShownKey extends KeyView {
  readonly key: string;
}

/** The API keys by which a customer proves who it is at the gateway, in `Tollbook-Key`. */
@Controller('admin/v1/customers/:tenant/:payer/keys')
@UseGuards(AdminKeyGuard)
export class CustomerKeysController {
  constructor(
    @Inject(PRISMA) private readonly prisma: Prisma,
    @Inject(CommandBus) private readonly bus: CommandBus,
    @Inject(SECRETS) private readonly secrets: Secrets,
  ) {}

  /** Those that are not revoked, oldest first; at most twenty are good at a time, so there are no pages. */
  @Get()
  async list(@Param('tenant') id: string, @Param('payer') payer: string): Promise<{ readonly data: KeyView[] }> {
    const tenant = await tenantOf(this.prisma, id);
    return { data: (await keysOf(this.prisma, tenant, payerOf(payer))).map(keyView) };
  }

  @Post()
  @Idempotent('required')
  async issue(@Param('tenant') id: string, @Param('payer') payer: string, @Body() body: unknown): Promise<ShownKey> {
    const { expires_at, routes } = parseBody(issueBody, body ?? {});
    const tenant = await tenantOf(this.prisma, id);
    const { key, ...made } = newKey(this.secrets.customerKeySecret);
    await this.bus.execute(new IssueKey(tenant, payerOf(payer), made, { expiresAt: expires_at?.getTime(), routes }));
    return this.shown(tenant, payer, made.id, key);
  }

  /** A new key in place of one that stays good for a while; 0 seconds ends it at once. */
  @Post(':key/rotate')
  @Idempotent('required')
  async rotate(
    @Param('tenant') id: string,
    @Param('payer') payer: string,
    @Param('key') old: string,
    @Body() body: unknown,
  ): Promise<ShownKey> {
    const { overlap_seconds } = parseBody(rotateBody, body ?? {});
    const tenant = await tenantOf(this.prisma, id);
    const { key, ...made } = newKey(this.secrets.customerKeySecret);
    await this.bus.execute(new RotateKey(tenant, payerOf(payer), old, made, overlap_seconds * 1000));
    return this.shown(tenant, payer, made.id, key);
  }

  /** The key is no good for any request that is sent after the answer. Repeatable. */
  @Delete(':key')
  @HttpCode(204)
  @Idempotent('optional')
  async revoke(@Param('tenant') id: string, @Param('payer') payer: string, @Param('key') key: string): Promise<void> {
    const tenant = await tenantOf(this.prisma, id);
    await this.bus.execute(new RevokeKey(tenant, payerOf(payer), key));
  }

  private async shown(tenant: string, payer: string, id: NewKey['id'], key: string): Promise<ShownKey> {
    const row = (await keysOf(this.prisma, tenant, payerOf(payer))).find((one) => one.id === id);
    if (!row) throw new Error(`${id} is gone already`);
    return { ...keyView(row), key };
  }
}
