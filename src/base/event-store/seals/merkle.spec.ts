import fc from 'fast-check';
import { isBeginning, rootOfPath } from '../../../../packages/verifier/src/merkle.js';
import { auditPath, consistencyProof, leafAt, leafHash, merkleRoot, nodeHash } from './merkle.js';
import { MerkleFrontier } from './merkle-frontier.js';

/** The inputs and roots that implementations of Certificate Transparency are tested with. */
const INPUTS = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const leaves = INPUTS.map((hex) => leafHash(Buffer.from(hex, 'hex')));

function listOf(size: number): Buffer {
  return Buffer.concat(Array.from({ length: size }, (_, n) => leafHash(String(n))));
}

/** Written from the definition in RFC 6962 section 2.1, for comparison. */
function definedRoot(list: Buffer): Buffer {
  const count = list.length / 32;
  if (count === 1) return list;
  let split = 1;
  while (split * 2 < count) split *= 2;
  return nodeHash(definedRoot(list.subarray(0, split * 32)), definedRoot(list.subarray(split * 32)));
}

const sizes = fc.integer({ min: 1, max: 300 });

describe('the tree', () => {
  it.each(ROOTS.map((root, size) => [size, root]))('of the first %i inputs has the root known for it', (size, root) => {
    const list = leaves.slice(0, Number(size));
    expect(merkleRoot(Buffer.concat(list)).toString('hex')).toBe(root);
    const frontier = new MerkleFrontier();
    for (const leaf of list) frontier.add(leaf);
    expect(frontier.root().toString('hex')).toBe(root);
    expect(frontier.size).toBe(size);
  });

  it('is the one that RFC 6962 defines, and its list of leaves is not changed', () => {
    fc.assert(
      fc.property(sizes, (size) => {
        const list = listOf(size);
        expect(merkleRoot(list)).toEqual(definedRoot(list));
        expect(list).toEqual(listOf(size));
      }),
      { numRuns: 60 },
    );
  });

  it('tells a leaf from a node', () => {
    const inner = Buffer.concat([leaves[0]!, leaves[1]!]);
    expect(leafHash(inner)).not.toEqual(nodeHash(leaves[0]!, leaves[1]!));
    expect(leafHash('é')).toEqual(leafHash(Buffer.from('é')));
  });
});

/** The example of RFC 6962 section 2.1.3: seven leaves a–f and j, nodes g, h, i, k, l. */
describe('the example of RFC 6962', () => {
  const [a, b, c, d, e, f, j] = leaves.slice(0, 7) as [Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, Buffer];
  const [g, h, i] = [nodeHash(a, b), nodeHash(c, d), nodeHash(e, f)];
  const [k, l] = [nodeHash(g, h), nodeHash(i, j)];
  const list = Buffer.concat([a, b, c, d, e, f, j]);

  it.each([
    [0, [b, h, l]],
    [3, [c, g, l]],
    [4, [f, j, k]],
    [6, [i, k]],
  ])('has the audit path of leaf %i', (index, path) => {
    expect(auditPath(list, index)).toEqual(path);
  });

  it.each([
    [3, [c, d, g, l]],
    [4, [l]],
    [6, [i, j, k]],
    [7, []],
  ])('has the consistency proof from %i leaves', (first, proof) => {
    expect(consistencyProof(list, first)).toEqual(proof);
  });
});

describe('an audit path', () => {
  it('leads to the root from its own leaf, and from nothing else', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), fc.nat(), fc.nat(), (size, nat, other, bit) => {
        const list = listOf(size);
        const root = merkleRoot(list);
        const index = nat % size;
        const path = auditPath(list, index);
        expect(rootOfPath(leafAt(list, index), index, size, path)).toEqual(root);
        const elsewhere = other % size;
        if (elsewhere !== index) {
          expect(rootOfPath(leafAt(list, elsewhere), index, size, path)).not.toEqual(root);
          expect(rootOfPath(leafAt(list, index), elsewhere, size, path)).not.toEqual(root);
        }
        expect(rootOfPath(leafAt(list, index), index, size, [...path, root])).toBeUndefined();
        if (path.length === 0) return;
        expect(rootOfPath(leafAt(list, index), index, size, path.slice(1))).not.toEqual(root);
        const bent = path.map((hash) => Buffer.from(hash));
        bent[bit % bent.length]![bit % 32]! ^= 1 << (bit % 8);
        expect(rootOfPath(leafAt(list, index), index, size, bent)).not.toEqual(root);
      }),
      { numRuns: 100 },
    );
  });

  it.each([
    [-1, 4],
    [4, 4],
    [0.5, 4],
    [0, 0],
  ])('is none for leaf %d of %d', (index, size) => {
    expect(rootOfPath(leaves[0]!, index, size, [])).toBeUndefined();
    expect(() => auditPath(listOf(size), index)).toThrow(RangeError);
  });
});

describe('a consistency proof', () => {
  it('holds between a tree and what it grew into, and for nothing else', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), fc.nat(), (size, nat, bit) => {
        const list = listOf(size);
        const count = 1 + (nat % size);
        const proof = consistencyProof(list, count);
        const first = { size: count, root: merkleRoot(list.subarray(0, count * 32)) };
        const second = { size, root: merkleRoot(list) };
        expect(isBeginning(first, second, proof)).toBe(true);
        const other = Buffer.from(first.root);
        other[bit % 32]! ^= 1 << (bit % 8);
        expect(isBeginning({ ...first, root: other }, second, proof)).toBe(false);
        expect(isBeginning(first, { ...second, root: other }, proof)).toBe(false);
        expect(isBeginning(first, second, [...proof, other])).toBe(false);
        if (count < size) expect(isBeginning(second, first, proof)).toBe(false);
        if (proof.length > 0) expect(isBeginning(first, second, proof.slice(1))).toBe(false);
      }),
      { numRuns: 100 },
    );
  });

  it('is none for a tree of no leaves', () => {
    expect(() => consistencyProof(listOf(3), 0)).toThrow(RangeError);
    expect(() => consistencyProof(listOf(3), 4)).toThrow(RangeError);
  });
});
