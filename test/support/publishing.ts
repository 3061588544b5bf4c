import { type DynamicModule, Global, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CommandBus, CqrsModule, type ICommand } from '@nestjs/cqrs';
import type { Pool } from 'pg';
import { EventStore } from '../../src/base/event-store/event-store.js';
import { openPool } from '../../src/base/platform/pool.js';
import { CLOCK, POOL } from '../../src/base/platform/tokens.js';
import { systemClock } from '../../src/base/shared/clock.js';
import { accountHandlers } from '../../src/domains/customers/account.handlers.js';
import { allowanceHandlers } from '../../src/domains/customers/allowance.handlers.js';
import { customerKeyHandlers } from '../../src/domains/customers/customer-key.handlers.js';
import { customerTariffHandlers } from '../../src/domains/customers/customer-tariff.handlers.js';
import { standingHandlers } from '../../src/domains/customers/standing-handlers.js';
import { tenantKeyHandlers } from '../../src/domains/customers/tenant-key.handlers.js';
import { meterHandlers } from '../../src/domains/metering/meter.handlers.js';
import { type Route, routeSchema, type Tenant, tenantSchema } from '../../src/domains/pricing/catalogue.schemas.js';
import { PricingModule } from '../../src/domains/pricing/pricing.module.js';
import type { TariffRules } from '../../src/domains/pricing/tariff.schemas.js';

@Global()
@Module({})
class StoreModule {
  static of(pool: Pool): DynamicModule {
    const providers = [
      { provide: EventStore, useValue: new EventStore(pool, systemClock) },
      { provide: CLOCK, useValue: systemClock },
      { provide: POOL, useValue: pool },
    ];
    return { module: StoreModule, imports: [CqrsModule.forRoot()], providers, exports: [...providers, CqrsModule] };
  }
}

const customerHandlers = [
  ...standingHandlers,
  ...accountHandlers,
  ...allowanceHandlers,
  ...customerTariffHandlers,
  ...customerKeyHandlers,
  ...tenantKeyHandlers,
  ...meterHandlers,
];

@Module({})
class PublisherModule {
  static of(pool: Pool): DynamicModule {
    return { module: PublisherModule, imports: [StoreModule.of(pool), PricingModule], providers: customerHandlers };
  }
}

/** Sends commands of publication and about customers to the database of a running Tollbook, as its control plane does. */
export async function publish(databaseUrl: string, commands: readonly ICommand[]): Promise<void> {
  const pool = openPool(databaseUrl, 'test-publisher', 2, console);
  const context = await NestFactory.createApplicationContext(PublisherModule.of(pool), { logger: ['error'] });
  const bus = context.get(CommandBus);
  for (const command of commands) await bus.execute(command);
  await context.close();
  await pool.end();
}

export function flat(amount: string): TariffRules {
  return { charges: [{ model: 'flat', amount }] };
}

/** A tenant of the demo's token; what is not named is harmless. */
export function tenantWith(tenant: Pick<Tenant, 'id' | 'host' | 'upstream'> & Partial<Tenant>): Tenant {
  return tenantSchema.parse({
    upstreamSecret: 'an upstream secret of 32 letters or more',
    allowPrivateUpstream: true,
    payee: '0x7011b00c000000000000000000000000000000bb',
    network: 'eip155:84532',
    asset: '0x036cbd53842c5426634e7929541ec2318f3dcf7e',
    ...tenant,
  });
}

/** `GET /{id}`, asynchronous, sold by the tariff `flat`, unless said otherwise. */
export function routeWith(route: Pick<Route, 'id' | 'tenant'> & Partial<Route>): Route {
  const path = `/${route.id}`;
  return routeSchema.parse({
    methods: ['GET'],
    pattern: path,
    upstreamPath: path,
    description: 'A route of a spec',
    mimeType: 'application/json',
    mode: 'async',
    idempotent: false,
    chargeClientErrors: false,
    maxTimeoutSeconds: 300,
    timeoutMs: 10_000,
    tariff: 'flat',
    maxBodyBytes: 8192,
    ...route,
  });
}
