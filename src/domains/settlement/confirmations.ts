/** From this amount on, in whole units of the token as a decimal (`"250"`, `"0.5"`), a transfer needs that many blocks; 1 is the one that holds it. */
export interface ConfirmationTier {
  readonly from: string;
  readonly blocks: number;
}

/** Being in a block is enough, whatever the amount. */
export const IN_A_BLOCK: readonly ConfirmationTier[] = [{ from: '0', blocks: 1 }];

/**
 * Pure. Blocks that have to stand for a transfer, its own counted: those of the highest tier that the amount reaches.
 *
 * @param tiers rising, the first from `"0"`
 * @param amount atomic units of a token with that many decimals
 */
export function confirmationsFor(tiers: readonly ConfirmationTier[], decimals: number, amount: bigint): number {
  return tiers.findLast(({ from }) => reaches(amount, decimals, from))?.blocks ?? 1;
}

/** Exact: both sides are brought to the finer of the two scales. */
function reaches(amount: bigint, decimals: number, from: string): boolean {
  const [whole = '0', fraction = ''] = from.split('.');
  const least = BigInt(whole + fraction);
  const finer = fraction.length - decimals;
  return finer >= 0 ? amount * 10n ** BigInt(finer) >= least : amount >= least * 10n ** BigInt(-finer);
}
