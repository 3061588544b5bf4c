import type { Upcast } from '../../base/event-store/event.js';
import { NotNow, type Projection } from '../../base/event-store/projections/projection.js';
import type { Network } from '../../base/shared/hex.js';
import { type OpenSettlement, readOpenSettlements } from './open-settlement.js';
import type { SettlementQueue } from './settlement.queue.js';

type Producer = Pick<SettlementQueue, 'add' | 'hasRoom'>;

/**
 * Queues every delivered payment for its chain, from the log: the checkpoint moves when Redis has the jobs, so a crash in
 * between only queues them twice. While Redis has enough to do, what nobody waits for stays in the log, and so does what is
 * on a chain that is not served here. Its rows are in Redis and may be lost; the sweep, not a rebuild, brings them back.
 */
export function settlementFeed(queues: ReadonlyMap<Network, Producer>, upcast: Upcast): Projection {
  return {
    name: 'settlement-feed',
    version: 1,
    types: ['RequestDelivered'],
    lagMs: 50,
    tables: [],
    begin: () => async (client, events) => {
      const streams = events.map(({ stream }) => stream);
      const delivered = await readOpenSettlements(client, streams, upcast);
      const added = [...queues].map(([network, queue]) =>
        enqueue(
          queue,
          delivered.filter((one) => one.network === network),
        ),
      );
      await Promise.all(added).catch((cause: Error) => {
        throw new NotNow(cause.message, { cause });
      });
    },
  };
}

/** Somebody waits for the answer of `after`; the others the sweep finds when there is room again. */
async function enqueue(queue: Producer, delivered: readonly OpenSettlement[]): Promise<void> {
  if (delivered.length === 0) return;
  const urgent = (await queue.hasRoom()) ? delivered : delivered.filter(({ mode }) => mode === 'after');
  if (urgent.length > 0) await queue.add(urgent, false);
}
