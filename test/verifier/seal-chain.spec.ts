import { checkEventProof } from '../../packages/verifier/src/event-proof.js';
import { keysFrom } from '../../packages/verifier/src/keys.js';
import type { Result } from '../../packages/verifier/src/report.js';
import { openSeal } from '../../packages/verifier/src/seal.js';
import { type Restoration, SealChain } from '../../packages/verifier/src/seal-chain.js';
import { dataDigest } from '../../src/base/event-store/seals/leaf.js';
import { leafHash, merkleRoot } from '../../src/base/event-store/seals/merkle.js';
import { nextSeal, readSeal, type Seal } from '../../src/base/event-store/seals/seal.js';
import { canonicalJson, type JsonObject } from '../../src/base/shared/json.js';
import { ReceiptSigner } from '../../src/domains/receipts/receipt-signer.js';
import { headerOf, issueLog, signer } from './issued.js';

const keys = keysFrom(signer.jwks() as never);
const log = issueLog(8, [5, 4, 1, 3, 2, 1, 6]);
const lineOf = ({ jws, payload }: Seal) => JSON.stringify({ number: payload.number, jws });
const lines = log.seals.map(lineOf);
const names = ['signatures', 'numbers', 'ranges', 'previous', 'history'];

function chainOf(seals: readonly string[], restorations: readonly Restoration[] = []): SealChain {
  const chain = new SealChain(keys, restorations);
  for (const line of seals) chain.add(line);
  return chain;
}

const failures = (chain: SealChain) => chain.checks().flatMap(({ name, ok }) => (ok ? [] : [name]));

/** The seal after `seals`, whatever it says, signed by us. */
function sealAfter(seals: readonly Seal[], change: Partial<JsonObject>, by = signer): Seal {
  const history = merkleRoot(Buffer.concat(seals.map(({ leaf }) => leaf)));
  const last = seals.at(-1)!;
  const range = { from: last.to + 1n, to: last.to + 2n, root: leafHash('x') };
  const payload = { ...nextSeal(last, history, range, new Date(0)), ...change };
  return readSeal(by.sign(payload as unknown as JsonObject))!;
}

describe('a file of seals', () => {
  it('is one chain', () => {
    expect(chainOf(lines).checks()).toEqual(names.map((name) => expect.objectContaining({ name, ok: true })));
    expect(failures(chainOf(lines.slice(0, 1)))).toEqual([]);
  });

  it.each<[string, readonly string[], readonly string[]]>([
    ['nothing in it', [], names],
    ['the first seal missing', lines.slice(1), ['numbers', 'ranges', 'previous', 'history']],
    ['one missing', lines.toSpliced(3, 1), ['numbers', 'ranges', 'previous', 'history']],
    ['two exchanged', lines.toSpliced(2, 2, lines[3]!, lines[2]!), ['numbers', 'ranges', 'previous', 'history']],
    ['one twice', lines.toSpliced(3, 0, lines[2]!), ['numbers', 'ranges', 'previous', 'history']],
    ['a line that is no seal', [...lines, '<html>'], ['signatures']],
    [
      'a receipt for a seal',
      [...lines, JSON.stringify({ number: 8, jws: log.receipts[0]!.signature })],
      ['signatures'],
    ],
    [
      'a number that is not the one of the seal',
      [...lines.slice(0, -1), lineOf(log.seals[6]!).replace('7', '8')],
      ['signatures'],
    ],
  ])('is none with %s', (_what, changed, failed) => {
    expect(failures(chainOf(changed))).toEqual(failed);
  });

  it.each<[string, Partial<JsonObject>, string]>([
    ['number', { number: 9 }, 'numbers'],
    ['gap', { from: '24' }, 'ranges'],
    ['overlap', { from: '22' }, 'ranges'],
    ['seal before', { previous: leafHash('y').toString('base64url') }, 'previous'],
    ['history', { history: leafHash('y').toString('base64url') }, 'history'],
  ])('is none with another %s, though we signed it', (_what, change, failed) => {
    expect(failures(chainOf([...lines, lineOf(sealAfter(log.seals, {}))]))).toEqual([]);
    expect(failures(chainOf([...lines, lineOf(sealAfter(log.seals, change))]))).toEqual([failed]);
  });

  it('is none with a seal that somebody else signed', () => {
    const stranger = new ReceiptSigner('http://localhost:4020', [`0x${'03'.repeat(32)}`]);
    expect(failures(chainOf([...lines, lineOf(sealAfter(log.seals, {}, stranger))]))).toEqual(['signatures']);
  });

  it('shows when a receipt came with another seal of the same number', () => {
    const chain = chainOf(lines);
    const other = sealAfter(log.seals.slice(0, 2), { sealedAt: '2026-01-01T00:00:00.000Z' });
    expect(chain.agreesWith(openSeal(log.seals[2]!.jws, keys)).ok).toBe(true);
    expect(chain.agreesWith(openSeal(other.jws, keys)).ok).toBe(false);
    expect(chain.agreesWith(openSeal(sealAfter(log.seals, {}).jws, keys)).ok).toBe(false);
  });
});

describe('after a restored backup', () => {
  const resumed = sealAfter(log.seals, { from: '13', to: '15' });
  const restored = {
    ...log.events[0]!,
    stream: 'log/restorations',
    type: 'LogRestored',
    data: { lostFrom: '13', lostTo: '22', head: '12', seals: { from: 4, to: 7 } },
    position: 13n,
  };

  /** The proof that the log itself says so, in the first of three events of the seal that follows. */
  function proofOf(data: JsonObject): Result {
    const header = headerOf({ ...restored, data });
    const leaf = leafHash(canonicalJson(header as unknown as JsonObject));
    const root = merkleRoot(leaf).toString('base64url');
    const seal = sealAfter(log.seals, { from: '13', to: '13', root });
    const proof = { header, leafIndex: 0, treeSize: 1, path: [], seal: 8 };
    return checkEventProof({ data: restored.data, proof, seals: { 8: seal.jws } } as never, keys);
  }

  it('the chain steps back, which only a proved LogRestored explains', () => {
    expect(failures(chainOf([...lines, lineOf(resumed)]))).toEqual(['ranges']);
    const { restoration, checks } = proofOf(restored.data);
    expect(checks.every(({ ok }) => ok)).toBe(true);
    expect(failures(chainOf([...lines, lineOf(resumed)], [restoration!]))).toEqual([]);
    const elsewhere = lineOf(sealAfter(log.seals, { from: '14', to: '15' }));
    expect(failures(chainOf([...lines, elsewhere], [restoration!]))).toEqual(['ranges']);
  });

  it('data that were not sealed explain nothing', () => {
    expect(dataDigest(restored.data)).not.toBe(dataDigest({ ...restored.data, head: '11' }));
    expect(proofOf({ ...restored.data, head: '11' }).restoration).toBeUndefined();
  });
});
