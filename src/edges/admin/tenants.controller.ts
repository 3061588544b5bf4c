import { randomBytes } from 'node:crypto';
import { Body, Controller, Get, Inject, Param, Post, Put, Query, Req, Res, UseGuards } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Written } from '../../base/event-store/expected.js';
import type { Prisma } from '../../base/platform/prisma.js';
import { PRISMA } from '../../base/platform/tokens.js';
import { Problem } from '../../base/shared/problem.js';
import { RegisterTenant, RotateUpstreamSecret, secretFingerprint } from '../../domains/pricing/catalogue.decide.js';
import { findTenant, listTenants, type TenantView, tenantView } from '../../domains/pricing/catalogue.queries.js';
import { tenantSchema } from '../../domains/pricing/catalogue.schemas.js';
import { AdminKeyGuard } from './admin-key.guard.js';
import { expectedBy, tagged } from './etag.js';
import { Idempotent } from './idempotency.js';
import { idOf, parseBody, parseQuery, text } from './input.js';
import { decodeCursor, type Page, pageOf, pageQuery } from './paging.js';
import { TenantChecks } from './tenant-checks.js';

const SECRET_BYTES = 32;

const listQuery = pageQuery.extend({ host: text(253).optional() });

/** What a tenant is told may be sent back: the fingerprint is not looked at. */
const tenantBody = tenantSchema.extend({
  upstreamSecret: tenantSchema.shape.upstreamSecret.optional(),
  upstreamSecretFingerprint: z.string().optional(),
  allowPrivateUpstream: tenantSchema.shape.allowPrivateUpstream.default(false),
});
const secretBody = z.strictObject({ upstreamSecret: tenantSchema.shape.upstreamSecret.optional() });

/** The secret is in the answer that made it, and in no other. */
type TenantAnswer = TenantView & { readonly upstreamSecret?: string };

/** Providers: whose host, which upstream, who is paid in what. */
@Controller('admin/v1/tenants')
@UseGuards(AdminKeyGuard)
export class TenantsController {
  constructor(
    @Inject(PRISMA) private readonly prisma: Prisma,
    @Inject(CommandBus) private readonly bus: CommandBus,
    @Inject(TenantChecks) private readonly checks: TenantChecks,
  ) {}

  /** By id. */
  @Get()
  async list(@Query() query: unknown): Promise<Page<TenantView>> {
    const { cursor, limit, ...filter } = parseQuery(listQuery, query);
    const after = cursor === undefined ? undefined : decodeCursor(cursor, 1)[0];
    return pageOf(await listTenants(this.prisma, filter, after, limit), limit, ({ id }) => [id], tenantView);
  }

  @Get(':tenant')
  async one(
    @Param('tenant') id: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TenantView | undefined> {
    const row = await findTenant(this.prisma, id);
    if (!row) throw new Problem('not_found');
    return tagged(request, reply, row.revision) ? undefined : tenantView(row);
  }

  /** Registers the tenant, or replaces its registration: an upstream secret that is not named is kept, or made at first. */
  @Put(':tenant')
  @Idempotent('optional')
  async register(
    @Param('tenant') tenant: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TenantAnswer | undefined> {
    const named = parseBody(z.looseObject({}), body);
    const { upstreamSecretFingerprint: _, ...registration } = parseBody(tenantBody, {
      ...named,
      id: idOf(tenant, named.id),
    });
    await this.checks.check(registration);
    const fresh = freshSecret();
    const command = new RegisterTenant(registration, expectedBy(request, 'unstated'), fresh);
    const { created } = await this.bus.execute<RegisterTenant, Written>(command);
    void reply.status(created ? 201 : 200);
    return this.withSecret(fresh, tenant, request, reply);
  }

  /** Another secret, told in this answer only. Without a body it is made here. */
  @Post(':tenant/upstream-secret')
  @Idempotent('required')
  async rotate(
    @Param('tenant') tenant: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TenantAnswer | undefined> {
    const { upstreamSecret = freshSecret() } = parseBody(secretBody, body ?? {});
    await this.bus.execute(new RotateUpstreamSecret(tenant, upstreamSecret, expectedBy(request, undefined)));
    return this.withSecret(upstreamSecret, tenant, request, reply);
  }

  /** The secret is told if it is the one that stands now. */
  private async withSecret(
    upstreamSecret: string,
    tenant: string,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<TenantAnswer | undefined> {
    const view = await this.one(tenant, request, reply);
    const isNew = view?.upstreamSecretFingerprint === secretFingerprint(upstreamSecret);
    return view && isNew ? { ...view, upstreamSecret } : view;
  }
}

function freshSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}
