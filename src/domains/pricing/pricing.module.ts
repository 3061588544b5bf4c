import { Module } from '@nestjs/common';
import type { Pool } from 'pg';
import { ruleHandler } from '../../base/event-store/rule-handler.js';
import {
  decidePublishRoute,
  decidePublishTariff,
  decideRegisterTenant,
  decideRotateSecret,
  decideWithdrawRoute,
  PublishRoute,
  PublishTariff,
  RegisterTenant,
  RotateUpstreamSecret,
  WithdrawRoute,
} from './catalogue.decide.js';
import {
  evolvePublished,
  type PublicationEvent,
  type Published,
  type RouteEvent,
  routeStream,
  stands,
  type TariffPublished,
  type TenantRegistered,
  tariffStream,
  tenantStream,
  unpublished,
} from './publication.js';
import { refusalOf } from './publication-refusals.js';

function published<E extends PublicationEvent>() {
  return { initial: unpublished as Published<E>, evolve: evolvePublished<E>, exists: stands, refusalOf };
}

async function standingSecret(pool: Pool, id: string): Promise<string | undefined> {
  const { rows } = await pool.query<{ secret: string }>('select upstream_secret as secret from tenants where id = $1', [
    id,
  ]);
  return rows[0]?.secret;
}

@Module({
  providers: [
    ruleHandler(RegisterTenant, {
      ...published<TenantRegistered>(),
      place: ({ tenant }) => ({ tenant: tenant.id, stream: tenantStream(tenant.id) }),
      beside: (pool, { tenant }) => standingSecret(pool, tenant.id),
      decide: (state: Published<TenantRegistered>, command, now, _version, secret: string | undefined) =>
        decideRegisterTenant(state, command, now, secret),
    }),
    ruleHandler(RotateUpstreamSecret, {
      ...published<TenantRegistered>(),
      place: ({ tenant }) => ({ tenant, stream: tenantStream(tenant) }),
      decide: decideRotateSecret,
    }),
    ruleHandler(PublishRoute, {
      ...published<RouteEvent>(),
      place: ({ route: { id, tenant } }) => ({ tenant, stream: routeStream(tenant, id) }),
      decide: decidePublishRoute,
    }),
    ruleHandler(WithdrawRoute, {
      ...published<RouteEvent>(),
      place: ({ id, tenant }) => ({ tenant, stream: routeStream(tenant, id) }),
      decide: decideWithdrawRoute,
    }),
    ruleHandler(PublishTariff, {
      ...published<TariffPublished>(),
      place: ({ id, tenant }) => ({ tenant, stream: tariffStream(tenant, id) }),
      decide: decidePublishTariff,
    }),
  ],
})
export class PricingModule {}
