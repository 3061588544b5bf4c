import type { PoolClient } from 'pg';
import type { StoredEvent } from '../../base/event-store/event.js';
import { NotNow, type Projection } from '../../base/event-store/projections/projection.js';
import { paymentOfStream, type SettlementMode } from '../payments/payment.js';
import type { OpenSettlement, SettlementQueue } from './settlement.queue.js';

/**
 * Queues every delivered payment, from the log: the checkpoint moves when Redis has the jobs, so a crash in between
 * only queues them twice. While Redis has enough to do, what nobody waits for stays in the log. Its rows are in Redis and
 * may be lost; the sweep, not a rebuild, brings them back.
 */
export function settlementFeed(queue: Pick<SettlementQueue, 'add' | 'hasRoom'>): Projection {
  return {
    name: 'settlement-feed',
    version: 1,
    types: ['RequestDelivered'],
    lagMs: 50,
    tables: [],
    begin: () => async (client, events) => {
      const delivered = await deliveredPayments(client, events);
      await enqueue(queue, delivered).catch((cause: Error) => {
        throw new NotNow(cause.message, { cause });
      });
    },
  };
}

/** Somebody waits for the answer of `after`; the others the sweep finds when there is room again. */
async function enqueue(
  queue: Pick<SettlementQueue, 'add' | 'hasRoom'>,
  delivered: readonly OpenSettlement[],
): Promise<void> {
  const urgent = (await queue.hasRoom()) ? delivered : delivered.filter(({ mode }) => mode === 'after');
  if (urgent.length > 0) await queue.add(urgent, false);
}

async function deliveredPayments(client: PoolClient, events: readonly StoredEvent[]): Promise<OpenSettlement[]> {
  const { rows } = await client.query<{ stream: string; mode: SettlementMode }>(
    `select stream, data ->> 'mode' as mode from events where stream = any($1::text[]) and version = 1`,
    [events.map(({ stream }) => stream)],
  );
  return rows.map(({ mode, stream }) => ({ id: paymentOfStream(stream), mode }));
}
