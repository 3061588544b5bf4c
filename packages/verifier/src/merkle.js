import { createHash } from 'node:crypto';

const LEAF = Buffer.from([0]);
const NODE = Buffer.from([1]);

/** @param {Buffer[]} parts */
function sha256(...parts) {
  return createHash('sha256').update(Buffer.concat(parts)).digest();
}

/**
 * RFC 6962 section 2.1: leaves and inner nodes are told apart by their first byte.
 *
 * @param {string} text
 * @returns {Buffer}
 */
export function leafHash(text) {
  return sha256(LEAF, Buffer.from(text));
}

/**
 * The root to which an audit path leads: the definition in RFC 6962 section 2.1.1, read backwards from the top of the tree.
 *
 * @param {Buffer} leaf hash of the leaf
 * @param {number} index of the leaf, from 0
 * @param {number} size leaves in the tree
 * @param {readonly Buffer[]} path hashes of the siblings, from the leaf up
 * @returns {Buffer | undefined} undefined if the path does not fit the place
 */
export function rootOfPath(leaf, index, size, path) {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return undefined;
  if (size === 1) return path.length === 0 ? leaf : undefined;
  const sibling = path.at(-1);
  if (!sibling) return undefined;
  const split = largestPowerBelow(size);
  const rest = path.slice(0, -1);
  if (index < split) {
    const left = rootOfPath(leaf, index, split, rest);
    return left && sha256(NODE, left, sibling);
  }
  const right = rootOfPath(leaf, index - split, size - split, rest);
  return right && sha256(NODE, sibling, right);
}

/**
 * Whether the tree of `first` leaves is the beginning of that of `second`: the definition in RFC 6962 section 2.1.2, read backwards.
 *
 * @param {{ size: number, root: Buffer }} first
 * @param {{ size: number, root: Buffer }} second
 * @param {readonly Buffer[]} proof
 */
export function isBeginning(first, second, proof) {
  if (!Number.isSafeInteger(first.size) || !Number.isSafeInteger(second.size)) return false;
  if (first.size < 1 || first.size > second.size) return false;
  const roots = rootsOfProof(first.size, second.size, proof, first.root);
  return roots?.older.equals(first.root) === true && roots.newer.equals(second.root);
}

/**
 * @param {number} first leaves of the older tree, 1 to `second`
 * @param {number} second leaves of the newer one
 * @param {readonly Buffer[]} proof
 * @param {Buffer} [known] root of the older tree, while the proof leaves it out
 * @returns {{ older: Buffer, newer: Buffer } | undefined} undefined if the proof does not fit the sizes
 */
function rootsOfProof(first, second, proof, known) {
  if (first === second) {
    const [root = known] = proof;
    return root && proof.length === (known ? 0 : 1) ? { older: root, newer: root } : undefined;
  }
  const step = proof.at(-1);
  if (!step) return undefined;
  const split = largestPowerBelow(second);
  const rest = proof.slice(0, -1);
  if (first <= split) {
    const left = rootsOfProof(first, split, rest, known);
    return left && { older: left.older, newer: sha256(NODE, left.newer, step) };
  }
  const right = rootsOfProof(first - split, second - split, rest);
  return right && { older: sha256(NODE, step, right.older), newer: sha256(NODE, step, right.newer) };
}

/**
 * @param {number} size at least 2
 */
function largestPowerBelow(size) {
  let power = 1;
  while (power * 2 < size) power *= 2;
  return power;
}

/**
 * A tree that grows leaf by leaf and knows its root at every size (RFC 6962 section 2.1), in memory of its depth: of each power of
 * two at most one complete subtree is open.
 */
export class GrowingTree {
  /** @type {{ size: number, hash: Buffer }[]} complete subtrees, largest first */
  #subtrees = [];

  /** @param {Buffer} leaf */
  add(leaf) {
    let subtree = { size: 1, hash: leaf };
    while (this.#subtrees.at(-1)?.size === subtree.size) {
      const left = /** @type {{ size: number, hash: Buffer }} */ (this.#subtrees.pop());
      subtree = { size: left.size * 2, hash: sha256(NODE, left.hash, subtree.hash) };
    }
    this.#subtrees.push(subtree);
  }

  /** @returns {Buffer | undefined} undefined for a tree without leaves */
  root() {
    const [last, ...larger] = this.#subtrees.map(({ hash }) => hash).reverse();
    return last && larger.reduce((right, left) => sha256(NODE, left, right), last);
  }
}
