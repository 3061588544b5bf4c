import { Inject, Injectable } from '@nestjs/common';
import { CommandHandler } from '@nestjs/cqrs';
import type { Pool } from 'pg';
import { VersionConflict } from '../../base/event-store/event.js';
import { EventStore } from '../../base/event-store/event-store.js';
import { readHolds } from '../../base/event-store/hold-totals.js';
import { POOL } from '../../base/platform/tokens.js';
import type { Address } from '../../base/shared/hex.js';
import { liftedBy, probationKeyOf, probationStream } from './probation.js';

/** Of two lifts at once one has nothing left to do when it looks again. */
const ATTEMPTS_MAX = 5;

/** Ends a payer's probation at a tenant; one that fails to pay meanwhile begins another. */
export class LiftProbation {
  constructor(
    readonly tenant: string,
    readonly payer: Address,
  ) {}
}

/** The event, and the count that it takes away, are one write. */
@CommandHandler(LiftProbation)
@Injectable()
export class LiftProbationHandler {
  constructor(
    @Inject(EventStore) private readonly store: Pick<EventStore, 'append' | 'readStream'>,
    @Inject(POOL) private readonly pool: Pool,
  ) {}

  async execute({ payer, tenant }: LiftProbation): Promise<void> {
    const stream = probationStream(tenant, payer);
    for (let attempt = 1; ; attempt++) {
      const { length } = await this.store.readStream(stream);
      const left = await paymentsLeft(this.pool, tenant, payer);
      if (left === 0n) return;
      const { event, hold } = liftedBy(tenant, payer, left);
      try {
        const decide = () => ({ events: [event] });
        await this.store.append({ stream, tenant, expectedVersion: length, holds: [hold], decide });
        return;
      } catch (error) {
        if (!(error instanceof VersionConflict) || attempt === ATTEMPTS_MAX) throw error;
      }
    }
  }
}

/** That the payer has to settle before their answers until it is answered at once again; 0 for one that is not on probation. */
export async function paymentsLeft(pool: Pool, tenant: string, payer: Address): Promise<bigint> {
  const key = probationKeyOf(tenant, payer);
  return (await readHolds(pool, [key])).get(key)?.held ?? 0n;
}
