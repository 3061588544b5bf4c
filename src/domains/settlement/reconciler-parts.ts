import type { Pool } from 'pg';
import type { ChainClient } from '../../base/chain/chain-client.js';
import { ChainReader } from '../../base/chain/chain-reader.js';
import type { EventStore } from '../../base/event-store/event-store.js';
import type { Clock } from '../../base/shared/clock.js';
import { OpenAuthorizations } from './open-authorizations.js';
import { Reconciler, type ReconcilerDeps } from './reconciler.js';
import { ReconcilerCheckpoint } from './reconciler-checkpoint.js';
import { TransferReading } from './transfer-reading.js';
import { TransferRecords } from './transfer-records.js';
import { WalletOpener } from './wallet-opener.js';

export interface ReconcilerParts extends Pick<ReconcilerDeps, 'hurry' | 'log' | 'network' | 'verifyOthers'> {
  readonly client: ChainClient;
  readonly pool: Pool;
  readonly store: Pick<EventStore, 'append' | 'readStreams'>;
  readonly clock: Clock;
  /** See `WalletOpener`. */
  readonly earlierSeconds?: bigint;
}

/** The reconciler of one chain, on a database. */
export function assembleReconciler(parts: ReconcilerParts): Reconciler {
  const { client, clock, earlierSeconds, hurry, log, network, pool, store, verifyOthers } = parts;
  const chain = new ChainReader(client);
  const records = new TransferRecords(pool, store, network, clock);
  return new Reconciler({
    ...{ network, chain, hurry, log, verifyOthers },
    checkpoint: new ReconcilerCheckpoint(pool, network),
    opener: new WalletOpener({ pool, store, network, chain, earlierSeconds }),
    reading: new TransferReading({ network, chain, store, records }),
    authorizations: new OpenAuthorizations(pool, network, chain),
  });
}
