import fc from 'fast-check';
import { canonicalJson as theirs } from '../../packages/verifier/src/canonical-json.js';
import { GrowingTree, leafHash, rootOfPath } from '../../packages/verifier/src/merkle.js';
import { auditPath, merkleRoot, leafHash as ourLeaf } from '../../src/base/event-store/seals/merkle.js';
import { canonicalJson, type Json } from '../../src/base/shared/json.js';

const texts = fc.array(fc.string(), { minLength: 1, maxLength: 70 });
const pathOf = (leaves: readonly Buffer[], index: number) => auditPath(Buffer.concat(leaves), index);

describe('the verifier beside the product', () => {
  it('grows trees to the same roots', () => {
    fc.assert(
      fc.property(texts, (entries) => {
        const tree = new GrowingTree();
        entries.forEach((entry, index) => {
          tree.add(leafHash(entry));
          const leaves = entries.slice(0, index + 1).map((one) => ourLeaf(one));
          expect(tree.root()).toEqual(merkleRoot(Buffer.concat(leaves)));
        });
      }),
    );
  });

  it('follows every audit path to the root', () => {
    for (const size of [1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 100]) {
      const leaves = Array.from({ length: size }, (_, index) => leafHash(`${index}`));
      const root = merkleRoot(Buffer.concat(leaves));
      leaves.forEach((leaf, index) => {
        expect(rootOfPath(leaf, index, size, pathOf(leaves, index))).toEqual(root);
      });
    }
  });

  it('finds no root for another place, a longer or a shorter path', () => {
    const size = fc.integer({ min: 2, max: 200 });
    const place = size.chain((count) => fc.record({ count: fc.constant(count), index: fc.nat(count - 1) }));
    fc.assert(
      fc.property(place, fc.integer({ min: 1, max: 199 }), ({ count, index }, step) => {
        const leaves = Array.from({ length: count }, (_, at) => leafHash(`${at}`));
        const root = merkleRoot(Buffer.concat(leaves));
        const path = pathOf(leaves, index);
        const other = (index + 1 + (step % (count - 1))) % count;
        const wrong = [
          rootOfPath(leaves[index]!, other === index ? (index + 1) % count : other, count, path),
          rootOfPath(leaves[index]!, index, count, [...path, root]),
          rootOfPath(leaves[index]!, index, count, path.slice(1)),
          rootOfPath(leaves[index]!, index + count, count, path),
        ];
        for (const found of wrong) expect(found?.equals(root) ?? false).toBe(false);
      }),
    );
  });

  it('writes the same canonical JSON', () => {
    const value = fc.jsonValue().filter((json) => !hasFraction(json as Json));
    fc.assert(fc.property(value, (json) => expect(theirs(json as never)).toBe(canonicalJson(json as Json))));
  });

  it('knows the example of RFC 8785, section 3.2.3', () => {
    const names = ['\u20ac', '\r', '\ufb33', '1', '\u{1f600}', '\u0080', '\u00f6'];
    const object = Object.fromEntries(names.map((name, index) => [name, index]));
    expect(Object.keys(JSON.parse(theirs(object)))).toHaveLength(7);
    expect(theirs(object)).toBe('{"\\r":1,"1":3,"\u0080":5,"\u00f6":6,"\u20ac":0,"\u{1f600}":4,"\ufb33":2}');
  });
});

/** Numbers that are not exact have no canonical form in signed documents. */
function hasFraction(json: Json): boolean {
  if (typeof json === 'number') return !Number.isSafeInteger(json);
  return typeof json === 'object' && json !== null && Object.values(json).some(hasFraction);
}
