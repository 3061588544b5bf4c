import type { Address } from '../../base/shared/hex.js';

/** Unmined transactions of one settler: geth keeps 16 of an account, however full its pool is (`txpool.accountslots`). */
export const LANE_MAX = 16;

/**
 * Pure. The settler whose lane has the fewest unmined transactions, the first of equals; `undefined` if each lane is full.
 *
 * @param inFlight by settler; those without unmined transactions may be missing
 */
export function freestLane(
  settlers: readonly Address[],
  inFlight: ReadonlyMap<Address, number>,
  max: number = LANE_MAX,
): Address | undefined {
  const busy = (settler: Address) => inFlight.get(settler) ?? 0;
  return settlers
    .filter((one) => busy(one) < max)
    .reduce<Address | undefined>((best, one) => (best === undefined || busy(one) < busy(best) ? one : best), undefined);
}
