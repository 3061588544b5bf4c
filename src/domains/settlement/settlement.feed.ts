import type { PoolClient } from 'pg';
import type { StoredEvent, Upcast } from '../../base/event-store/event.js';
import { NotNow, type Projection } from '../../base/event-store/projections/projection.js';
import type { Network } from '../../base/shared/hex.js';
import { type OpenSettlement, openSettlement, readOpenSettlements } from './open-settlement.js';
import type { SettlementQueue } from './settlement.queue.js';

type Producer = Pick<SettlementQueue, 'add' | 'hasRoom'>;

/**
 * Queues every payment that is delivered, or is to be settled before it is, for its chain, from the log: the checkpoint moves
 * when Redis has the jobs, so a crash in between only queues them twice. While Redis has enough to do, what nobody waits for
 * stays in the log, and so does what is on a chain that is not served here. Its rows are in Redis and may be lost; the sweep,
 * not a rebuild, brings them back.
 */
export function settlementFeed(queues: ReadonlyMap<Network, Producer>, upcast: Upcast): Projection {
  return {
    name: 'settlement-feed',
    version: 1,
    types: ['PaymentAuthorized', 'RequestDelivered'],
    lagMs: 50,
    tables: [],
    begin: () => async (client, events) => {
      const due = await dueSettlements(client, events, upcast);
      const added = [...queues].map(([network, queue]) =>
        enqueue(
          queue,
          due.filter((one) => one.network === network),
        ),
      );
      await Promise.all(added).catch((cause: Error) => {
        throw new NotNow(cause.message, { cause });
      });
    },
  };
}

/** In mode `before` from its authorization on, in the other modes once it is delivered. */
async function dueSettlements(
  client: PoolClient,
  events: readonly StoredEvent[],
  upcast: Upcast,
): Promise<readonly OpenSettlement[]> {
  const [begun, delivered] = [events.filter(isAuthorization), events.filter((event) => !isAuthorization(event))];
  const first = begun.map(openSettlement).filter(({ mode }) => mode === 'before');
  if (delivered.length === 0) return first;
  const streams = delivered.map(({ stream }) => stream);
  const later = await readOpenSettlements(client, streams, upcast);
  return [...first, ...later.filter(({ mode }) => mode !== 'before')];
}

function isAuthorization({ type }: StoredEvent): boolean {
  return type === 'PaymentAuthorized';
}

/** Somebody waits for the answer unless the mode is `async`; those the sweep finds when there is room again. */
async function enqueue(queue: Producer, due: readonly OpenSettlement[]): Promise<void> {
  if (due.length === 0) return;
  const urgent = (await queue.hasRoom()) ? due : due.filter(({ mode }) => mode !== 'async');
  if (urgent.length > 0) await queue.add(urgent, false);
}
