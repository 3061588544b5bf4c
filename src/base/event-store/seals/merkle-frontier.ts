import { nodeHash, sha256 } from './merkle.js';

/** A growing Merkle tree (RFC 6962) of which only the roots of its perfect subtrees are kept: log₂ of its size of hashes. */
export class MerkleFrontier {
  private readonly peaks: { readonly size: number; readonly root: Buffer }[] = [];

  /** Leaves added so far. */
  get size(): number {
    return this.peaks.reduce((sum, peak) => sum + peak.size, 0);
  }

  add(leaf: Buffer): void {
    let tree = { size: 1, root: leaf };
    for (let left = this.peaks.at(-1); left?.size === tree.size; left = this.peaks.at(-1)) {
      this.peaks.pop();
      tree = { size: 2 * tree.size, root: nodeHash(left.root, tree.root) };
    }
    this.peaks.push(tree);
  }

  /** The same as `merkleRoot` of all leaves. */
  root(): Buffer {
    const last = this.peaks.at(-1);
    if (last === undefined) return sha256('');
    return this.peaks.slice(0, -1).reduceRight((right, left) => nodeHash(left.root, right), last.root);
  }
}
