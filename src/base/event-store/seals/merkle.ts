import { hash } from 'node:crypto';

/** Length of a SHA-256 hash in bytes. A list of hashes is one buffer of them, end to end. */
export const HASH_BYTES = 32;

const LEAF_PREFIX = 0;
const NODE_PREFIX = 1;
/** 0x01 ‖ left ‖ right, filled anew for every node: allocating one each time costs as much as hashing it. */
const node = Buffer.alloc(1 + 2 * HASH_BYTES, NODE_PREFIX);

export function sha256(bytes: Buffer | string): Buffer {
  return hash('sha256', bytes, 'buffer');
}

/** SHA-256(0x00 ‖ data), RFC 6962 section 2.1. A text is hashed as UTF-8. */
export function leafHash(data: Buffer | string): Buffer {
  if (typeof data === 'string') return sha256(`\0${data}`);
  return sha256(Buffer.concat([Buffer.of(LEAF_PREFIX), data]));
}

/** SHA-256(0x01 ‖ left ‖ right), RFC 6962 section 2.1. */
export function nodeHash(left: Buffer, right: Buffer): Buffer {
  node.set(left, 1);
  node.set(right, 1 + HASH_BYTES);
  return sha256(node);
}

export function leafCount(leaves: Buffer): number {
  return leaves.length / HASH_BYTES;
}

export function leafAt(leaves: Buffer, index: number): Buffer {
  return leaves.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES);
}

/** Merkle tree hash of a list of leaf hashes, RFC 6962 section 2.1; of none it is the hash of nothing. */
export function merkleRoot(leaves: Buffer): Buffer {
  if (leaves.length === 0) return sha256('');
  // Level by level, a node without a sibling moves up as it is: the same tree as by splitting at powers of two.
  let level: Buffer = Buffer.from(leaves);
  while (level.length > HASH_BYTES) level = levelAbove(level);
  return level;
}

/** Overwrites the level below, of which every pair is read before its place is written. */
function levelAbove(level: Buffer): Buffer {
  let end = 0;
  for (let start = 0; start < level.length; start += 2 * HASH_BYTES) {
    if (start + HASH_BYTES < level.length) {
      node.set(level.subarray(start, start + 2 * HASH_BYTES), 1);
      level.set(sha256(node), end);
    } else {
      level.copyWithin(end, start);
    }
    end += HASH_BYTES;
  }
  return level.subarray(0, end);
}

/**
 * Audit path of the leaf at `index`, lowest sibling first, RFC 6962 section 2.1.1.
 *
 * @param index 0..number of leaves − 1
 */
export function auditPath(leaves: Buffer, index: number): Buffer[] {
  return auditPaths(leaves, [index])[0]!;
}

/** Audit paths of several leaves, for hashing the tree once. */
export function auditPaths(leaves: Buffer, indexes: readonly number[]): Buffer[][] {
  const count = leafCount(leaves);
  const wrong = indexes.find((index) => !Number.isInteger(index) || index < 0 || index >= count);
  if (wrong !== undefined) throw new RangeError(`no leaf ${wrong} of ${count}`);
  const paths = indexes.map((): Buffer[] => []);
  let level: Buffer = Buffer.from(leaves);
  for (let height = 0; level.length > HASH_BYTES; height++) {
    for (const [n, index] of indexes.entries()) {
      const sibling = leafAt(level, (index >>> height) ^ 1);
      if (sibling.length > 0) paths[n]!.push(Buffer.from(sibling));
    }
    level = levelAbove(level);
  }
  return paths;
}

/**
 * Proof that the tree of the first `first` leaves is the beginning of the tree of all, RFC 6962 section 2.1.2.
 *
 * @param first 1..number of leaves; of the whole tree the proof is empty
 */
export function consistencyProof(leaves: Buffer, first: number): Buffer[] {
  const count = leafCount(leaves);
  if (!Number.isInteger(first) || first < 1 || first > count) throw new RangeError(`no tree of ${first} in ${count}`);
  return subproof(leaves, first, true);
}

function subproof(leaves: Buffer, first: number, complete: boolean): Buffer[] {
  const count = leafCount(leaves);
  if (first === count) return complete ? [] : [merkleRoot(leaves)];
  const split = largestPowerBelow(count);
  const left = leaves.subarray(0, split * HASH_BYTES);
  const right = leaves.subarray(split * HASH_BYTES);
  return first <= split
    ? [...subproof(left, first, complete), merkleRoot(right)]
    : [...subproof(right, first - split, false), merkleRoot(left)];
}

/** The largest power of two below `count`, which is at least 2. */
function largestPowerBelow(count: number): number {
  return 2 ** Math.floor(Math.log2(count - 1));
}
