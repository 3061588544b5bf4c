import { setTimeout as sleep } from 'node:timers/promises';
import type { Address } from '../../base/shared/hex.js';
import type { GasWatch } from './gas-watch.js';
import { SettlementPending } from './settlement.ports.js';
import type { TransactionBook } from './settlement-transactions.js';

/** Unmined transactions of one settler: geth keeps 16 of an account, however full its pool is (`txpool.accountslots`). */
export const LANE_MAX = 16;

/**
 * Pure. The settler whose lane has the fewest unmined transactions, the first of equals; `undefined` if each lane is full.
 *
 * @param inFlight by settler; those without unmined transactions may be missing
 */
export function freestLane(settlers: readonly Address[], inFlight: ReadonlyMap<Address, number>): Address | undefined {
  const busy = (settler: Address) => inFlight.get(settler) ?? 0;
  return settlers
    .filter((one) => busy(one) < LANE_MAX)
    .reduce<Address | undefined>((best, one) => (best === undefined || busy(one) < busy(best) ? one : best), undefined);
}

/** How long a batch waits for a full lane, and between two looks, in milliseconds. */
const ROOM_MS = 5_000;
const POLL_MS = 50;

/** Chooses who sends the next batch. */
export class SettlerLanes {
  constructor(
    private readonly book: Pick<TransactionBook, 'inFlight'>,
    private readonly gas: Pick<GasWatch, 'report'>,
  ) {}

  /** Rejects with `SettlementPending` while nobody can, which says why. */
  async choose(): Promise<Address> {
    const able = await this.able();
    if (able.length === 0) throw new SettlementPending('every settler is low on gas');
    const settler = freestLane(able, await this.book.inFlight());
    if (settler === undefined) throw new SettlementPending(`every settler has ${LANE_MAX} transactions unmined`);
    return settler;
  }

  /** Resolves when some lane is not full, or after five seconds: then `choose` says why nobody can send. */
  async room(): Promise<void> {
    const end = performance.now() + ROOM_MS;
    while (performance.now() < end && (await this.areFull().catch(() => false))) await sleep(POLL_MS);
  }

  private async areFull(): Promise<boolean> {
    const able = await this.able();
    return able.length > 0 && freestLane(able, await this.book.inFlight()) === undefined;
  }

  private async able(): Promise<readonly Address[]> {
    const { settlers } = await this.gas.report();
    return settlers.filter(({ low }) => !low).map(({ settler }) => settler);
  }
}
