import type { HoldRequest } from '../../base/event-store/unit-of-work.js';
import { isCredit } from '../limits/credit.js';
import type { Hold } from '../limits/hold.js';
import { countedAt, parseQuotaKey } from '../limits/quota-key.js';
import type { CommitmentAccepted } from './commitment.js';

/** What a request used and costs. */
export interface Used {
  readonly units: bigint;
  /** Atomic units. */
  readonly charged: bigint;
}

/** What of the holds is not used: of money the difference in money, of units that in units. A request stays one request. */
export function unusedOf({ amount, holds, units }: CommitmentAccepted['data'], used: Used): readonly Hold[] {
  const money = BigInt(amount) - used.charged;
  const spare = BigInt(units) - used.units;
  return holds.flatMap(({ key }) => {
    const measure = isCredit(key) ? 'amount' : parseQuotaKey(key)?.measure;
    const rest = measure === 'amount' ? money : measure === 'units' ? spare : 0n;
    return rest > 0n ? [{ key, amount: rest.toString() }] : [];
  });
}

export function giveBack(holds: readonly Hold[]): HoldRequest[] {
  return holds.map(({ amount, key }) => ({ ...countedAt(key), delta: -BigInt(amount) }));
}
