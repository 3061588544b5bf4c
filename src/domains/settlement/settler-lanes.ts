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

/** Chooses who sends the next batch. */
export class SettlerLanes {
  constructor(
    private readonly book: Pick<TransactionBook, 'inFlight'>,
    private readonly gas: Pick<GasWatch, 'report'>,
  ) {}

  /** Rejects with `SettlementPending` while nobody can, which says why. */
  async choose(): Promise<Address> {
    const [{ settlers }, inFlight] = await Promise.all([this.gas.report(), this.book.inFlight()]);
    const able = settlers.filter(({ low }) => !low).map(({ settler }) => settler);
    if (able.length === 0) throw new SettlementPending('every settler is low on gas');
    const settler = freestLane(able, inFlight);
    if (settler === undefined) throw new SettlementPending(`every settler has ${LANE_MAX} transactions unmined`);
    return settler;
  }
}
