import type { Pool, PoolClient } from 'pg';
import type { StoredEvent, Upcast } from '../../base/event-store/event.js';
import { readFirstEvents } from '../../base/event-store/rows.js';
import type { Network } from '../../base/shared/hex.js';
import { type PaymentAuthorized, type PaymentId, paymentOfStream, type SettlementMode } from '../payments/payment.js';

/** A payment to be settled, with what says how soon. */
export interface OpenSettlement {
  readonly id: PaymentId;
  readonly network: Network;
  readonly mode: SettlementMode;
  /** That was paid for, 0 (most urgent) to 7. */
  readonly urgency?: number;
}

/** From the log, not from the read model, which lags behind. */
export async function readOpenSettlements(
  db: Pool | PoolClient,
  streams: readonly string[],
  upcast: Upcast,
): Promise<OpenSettlement[]> {
  return (await readFirstEvents(db, streams, upcast)).map(openSettlement);
}

/** Of the event that began a payment. */
export function openSettlement({ data, stream }: Pick<StoredEvent, 'data' | 'stream'>): OpenSettlement {
  const { mode, terms, urgency } = data as unknown as PaymentAuthorized['data'];
  return { id: paymentOfStream(stream), network: terms.network, mode, urgency };
}
