import type { PoolClient } from 'pg';
import type { StoredEvent } from '../../base/event-store/event.js';
import type { Projection } from '../../base/event-store/projection-runner.js';
import type { PaymentId, SettlementMode } from '../payments/payment.js';
import type { OpenSettlement, SettlementQueue } from './settlement.queue.js';

/**
 * Queues every delivered payment, from the log: the checkpoint moves when Redis has the jobs, so a crash in between
 * only queues them twice. While Redis has enough to do, what is delivered waits in the log. Its rows are in Redis and may be lost; the sweep, not a rebuild, brings them back.
 */
export function settlementFeed(queue: Pick<SettlementQueue, 'add' | 'hasRoom'>): Projection {
  return {
    name: 'settlement-feed',
    version: 1,
    types: ['RequestDelivered'],
    lagMs: 50,
    ready: () => queue.hasRoom(),
    async apply(client, events) {
      await queue.add(await deliveredPayments(client, events), false);
    },
    async reset() {},
  };
}

async function deliveredPayments(client: PoolClient, events: readonly StoredEvent[]): Promise<OpenSettlement[]> {
  const { rows } = await client.query<{ stream: string; mode: SettlementMode }>(
    `select stream, data ->> 'mode' as mode from events where stream = any($1::text[]) and version = 1`,
    [events.map(({ stream }) => stream)],
  );
  return rows.map(({ mode, stream }) => ({ id: stream.slice('payment/'.length) as PaymentId, mode }));
}
