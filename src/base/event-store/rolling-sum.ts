/** Which part of a rolling sum a change belongs to. Slots are named by the epoch milliseconds at which they begin. */
export interface Rolling {
  readonly slot: number;
  /** Slots before it do not count any more. */
  readonly since: number;
  /** Slots before it may be forgotten; earlier than `since`, for processes whose clocks are behind. */
  readonly forgetBefore: number;
}

/** Parts of a rolling sum by slot. */
export type Slots = ReadonlyMap<number, bigint>;

/** Pure: what counts from a slot on. */
export function sumSince(slots: Slots, since: number): bigint {
  let sum = 0n;
  for (const [slot, amount] of slots) if (slot >= since) sum += amount;
  return sum;
}

/**
 * Pure: may this change be made? Decreases always may; a slot never goes below zero, and what was forgotten with its slot is
 * not given back again. `held` is what counts afterwards.
 */
export function decideRolling(
  slots: Slots,
  { delta, limit }: { readonly delta: bigint; readonly limit?: bigint },
  { forgetBefore, since, slot }: Rolling,
): { granted: boolean; held: bigint; slots: Slots } {
  const held = sumSince(slots, since);
  if (delta > 0n && limit !== undefined && held + delta > limit) return { granted: false, held, slots };
  const next = new Map([...slots].filter(([begin]) => begin >= forgetBefore));
  const part = (next.get(slot) ?? 0n) + delta;
  if (part > 0n) next.set(slot, part);
  else next.delete(slot);
  return { granted: true, held: sumSince(next, since), slots: next };
}
