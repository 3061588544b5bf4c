import { type DynamicModule, Global, Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import type { Pool } from 'pg';
import { Registry } from 'prom-client';
import { type Chains, openChains } from './base/chain/chains.js';
import { EventStore } from './base/event-store/event-store.js';
import { LogTail } from './base/event-store/log-tail.js';
import type { ChainSettings } from './base/platform/chain-settings.js';
import type { Config } from './base/platform/config.js';
import { createLogger, type Logger } from './base/platform/logger.js';
import { openPool } from './base/platform/pool.js';
import { type Prisma, prismaFor } from './base/platform/prisma.js';
import type { Secrets } from './base/platform/secrets.js';
import { CHAINS, CLOCK, CONFIG, LOGGER, POOL, PRISMA, SECRETS } from './base/platform/tokens.js';
import { type Clock, systemClock } from './base/shared/clock.js';
import { TokenBook } from './domains/pricing/token-book.js';
import { upcast } from './event-catalogue.js';
import { naming } from './naming.js';

/** What one process has once, whatever roles it plays. */
export interface Runtime {
  readonly config: Config & {
    readonly databaseUrl: string;
    readonly redisUrl: string;
    readonly chains: readonly ChainSettings[];
  };
  readonly secrets: Secrets;
  readonly log: Logger;
  readonly clock: Clock;
  readonly pool: Pool;
  readonly prisma: Prisma;
  readonly store: EventStore;
  readonly tail: LogTail;
  /** Says when something was published. */
  readonly catalogueTail: LogTail;
  /** That tenants are paid on; at least one. */
  readonly chains: Chains;
  readonly tokens: TokenBook;
  /** Of all roles in this process; the control role shows them. */
  readonly metrics: Registry;
  close(): Promise<void>;
}

export async function openRuntime(config: Runtime['config'], secrets: Secrets): Promise<Runtime> {
  const log = createLogger(config.logLevel, config.role);
  const chains = await naming(
    config.embedded.chain ? 'the chain' : config.chainsFile ? 'TOLLBOOK_CHAINS' : 'CHAIN_RPC_URL',
    openChains(config.chains, (network, { message }) => log.error({ network, err: message }, 'a chain is away')),
  );
  const pool = openPool(config.databaseUrl, `tollbook-${config.role}`, 16, log);
  const tail = new LogTail(config.databaseUrl, log);
  const catalogueTail = new LogTail(config.databaseUrl, log, 'tollbook_catalogue');
  await Promise.all([tail.start(), catalogueTail.start()]);
  const tokens = new TokenBook(pool, chains, catalogueTail, log);
  await tokens.start();
  const store = new EventStore(pool, systemClock, upcast);
  const prisma = prismaFor(config.databaseUrl);
  const close = async () => {
    await tokens.stop();
    await Promise.all([tail.stop(), catalogueTail.stop()]);
    await prisma.$disconnect();
    await pool.end();
  };
  const engines = { pool, prisma, store, tail, catalogueTail, chains, tokens };
  return { config, secrets, log, clock: systemClock, metrics: new Registry(), ...engines, close };
}

/** Hands the runtime's parts to every role's module. */
@Global()
@Module({})
export class RuntimeModule {
  static of(runtime: Runtime): DynamicModule {
    const providers = [
      { provide: CONFIG, useValue: runtime.config },
      { provide: SECRETS, useValue: runtime.secrets },
      { provide: LOGGER, useValue: runtime.log },
      { provide: CLOCK, useValue: runtime.clock },
      { provide: POOL, useValue: runtime.pool },
      { provide: PRISMA, useValue: runtime.prisma },
      { provide: EventStore, useValue: runtime.store },
      { provide: LogTail, useValue: runtime.tail },
      { provide: CHAINS, useValue: runtime.chains },
      { provide: TokenBook, useValue: runtime.tokens },
    ];
    return { module: RuntimeModule, imports: [CqrsModule.forRoot()], providers, exports: [...providers, CqrsModule] };
  }
}
