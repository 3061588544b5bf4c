import { HASH_BYTES, nodeHash } from './merkle.js';

/**
 * The root that an audit path leads to, RFC 9162 section 2.1.3.2; `undefined` if the path does not fit such a tree.
 *
 * @param index place of the leaf, 0..size − 1
 * @param size leaves in the tree
 */
export function rootFromPath(leaf: Buffer, index: number, size: number, path: readonly Buffer[]): Buffer | undefined {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return undefined;
  if (!areHashes([leaf, ...path])) return undefined;
  let place = index;
  let last = size - 1;
  let root = leaf;
  for (const sibling of path) {
    if (last === 0) return undefined;
    if (place % 2 === 1 || place === last) {
      root = nodeHash(sibling, root);
      // A node without a sibling has moved up unchanged.
      while (place % 2 === 0 && place !== 0) [place, last] = [half(place), half(last)];
    } else {
      root = nodeHash(root, sibling);
    }
    [place, last] = [half(place), half(last)];
  }
  return last === 0 ? root : undefined;
}

/** Whether the proof shows that the tree of `first` leaves is the beginning of that of `second`, RFC 9162 section 2.1.4.2. */
export function provesConsistency(
  first: { readonly size: number; readonly root: Buffer },
  second: { readonly size: number; readonly root: Buffer },
  proof: readonly Buffer[],
): boolean {
  if (!Number.isSafeInteger(first.size) || !Number.isSafeInteger(second.size)) return false;
  if (first.size < 1 || first.size > second.size || !areHashes(proof)) return false;
  if (first.size === second.size) return proof.length === 0 && first.root.equals(second.root);
  // Of a perfect tree the root itself is the first step, and is left out.
  const steps = isPowerOfTwo(first.size) ? [first.root, ...proof] : proof;
  if (steps.length === 0) return false;
  let place = first.size - 1;
  let last = second.size - 1;
  while (place % 2 === 1) [place, last] = [half(place), half(last)];
  let [older, newer] = [steps[0]!, steps[0]!];
  for (const step of steps.slice(1)) {
    if (last === 0) return false;
    if (place % 2 === 1 || place === last) {
      older = nodeHash(step, older);
      newer = nodeHash(step, newer);
      while (place % 2 === 0 && place !== 0) [place, last] = [half(place), half(last)];
    } else {
      newer = nodeHash(newer, step);
    }
    [place, last] = [half(place), half(last)];
  }
  return last === 0 && older.equals(first.root) && newer.equals(second.root);
}

function half(number: number): number {
  return Math.floor(number / 2);
}

function isPowerOfTwo(size: number): boolean {
  return 2 ** Math.floor(Math.log2(size)) === size;
}

function areHashes(hashes: readonly Buffer[]): boolean {
  return hashes.every((one) => one.length === HASH_BYTES);
}
