import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { Pool } from 'pg';
import { EventStore } from './base/event-store/event-store.js';
import { Sealer } from './base/event-store/seals/sealer.js';
import { Witness, witnessPathOf } from './base/event-store/seals/witness.js';
import type { Config } from './base/platform/config.js';
import type { Logger } from './base/platform/logger.js';
import type { Secrets } from './base/platform/secrets.js';
import { CLOCK, CONFIG, LOGGER, POOL, SECRETS } from './base/platform/tokens.js';
import type { Clock } from './base/shared/clock.js';
import { ReceiptSigner } from './domains/receipts/receipt-signer.js';

/** Seals the log, with the key that signs receipts. */
@Injectable()
export class Sealing implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly sealer: Sealer;

  constructor(
    @Inject(CONFIG) config: Config,
    @Inject(SECRETS) secrets: Secrets,
    @Inject(POOL) pool: Pool,
    @Inject(EventStore) store: EventStore,
    @Inject(CLOCK) clock: Clock,
    @Inject(LOGGER) log: Logger,
  ) {
    const signer = new ReceiptSigner(config.publicUrl, [secrets.receiptKey]);
    const witness = new Witness(witnessPathOf(config.dataDir));
    this.sealer = new Sealer({ pool, store, signer, witness, clock, log });
  }

  onApplicationBootstrap(): void {
    this.sealer.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.sealer.stop();
  }
}
