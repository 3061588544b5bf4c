import { leafOf, type SealRow } from './leaf.js';

/** Events that follow one another without a gap, and their leaf hashes, end to end. */
export interface EventRange {
  readonly from: bigint;
  readonly to: bigint;
  readonly leaves: Buffer;
}

/** Splits rows, which are ordered by position, where a position is missing, and so that no range has more than `max` events. */
export function rangesOf(rows: readonly SealRow[], max = rows.length): EventRange[] {
  const ranges: EventRange[] = [];
  let start = 0;
  for (let next = 1; next <= rows.length; next++) {
    const continues = next < rows.length && Number(rows[next]![0]) === Number(rows[next - 1]![0]) + 1;
    if (continues && next - start < max) continue;
    const part = rows.slice(start, next);
    if (part.length > 0) {
      const leaves = Buffer.concat(part.map((row) => leafOf(row)));
      ranges.push({ from: BigInt(part[0]![0]), to: BigInt(part.at(-1)![0]), leaves });
    }
    start = next;
  }
  return ranges;
}
