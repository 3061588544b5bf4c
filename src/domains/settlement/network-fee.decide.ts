import type { NetworkFee, NetworkFeeEvent } from './network-fee.js';

/** Bears the gas of a transaction that was left without payments and only used up its nonce. No tenant can have this id. */
export const NO_TENANT = '-';

/** The fee that stands after these events of one stream; `undefined` if none was paid or the last one was reversed. */
export function standingFee(events: readonly NetworkFeeEvent[]): NetworkFee | undefined {
  const last = events.at(-1);
  return last?.type === 'NetworkFeePaid' ? last.data : undefined;
}

/** Pure. `due`: what is paid in the block that holds the transaction now; `undefined` if none does. At most one fee stands. */
export function decideFee(standing: NetworkFee | undefined, due: NetworkFee | undefined): readonly NetworkFeeEvent[] {
  if (standing?.blockHash === due?.blockHash) return [];
  const events: NetworkFeeEvent[] = [];
  if (standing) events.push({ type: 'NetworkFeeReversed', schema: 1, data: standing });
  if (due) events.push({ type: 'NetworkFeePaid', schema: 1, data: due });
  return events;
}

/**
 * Pure. Splits a fee over tenants by their items with the largest remainder: whole wei, less than one away from the
 * exact part, and together the fee. Of equal remainders the first tenant by name gets the odd wei, so that a repeat gives the same.
 */
export function shareOut(fee: bigint, items: ReadonlyMap<string, number>): ReadonlyMap<string, bigint> {
  const of = BigInt(countOf(items));
  if (of === 0n) return new Map([[NO_TENANT, fee]]);
  const parts = [...items].map(([tenant, count]) => {
    const exact = fee * BigInt(count);
    return { tenant, share: exact / of, remainder: exact % of };
  });
  const odd = fee - parts.reduce((sum, { share }) => sum + share, 0n);
  const byRemainder = parts.toSorted((a, b) => compare(b.remainder, a.remainder) || compare(a.tenant, b.tenant));
  return new Map(byRemainder.map(({ share, tenant }, place) => [tenant, BigInt(place) < odd ? share + 1n : share]));
}

/** Items of all tenants. */
export function countOf(items: ReadonlyMap<string, number>): number {
  return [...items.values()].reduce((sum, count) => sum + count, 0);
}

function compare<T extends bigint | string>(a: T, b: T): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
