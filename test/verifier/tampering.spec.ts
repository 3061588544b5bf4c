import fc from 'fast-check';
import { checkEventProof } from '../../packages/verifier/src/event-proof.js';
import { keysFrom } from '../../packages/verifier/src/keys.js';
import { checkReceipt } from '../../packages/verifier/src/receipt.js';
import { holds, type Result } from '../../packages/verifier/src/report.js';
import { readJson, Unreadable } from '../../packages/verifier/src/strict-json.js';
import { ReceiptSigner } from '../../src/domains/receipts/receipt-signer.js';
import { runs, scale } from '../support/long.js';
import { issueLog, signer } from './issued.js';

const FLIPS = runs(1_500, 50_000);
const TIME_MS = scale(60_000, 600_000);
const keys = keysFrom(signer.jwks() as never);
/** One payment of each kind of life, all sealed but for the last events. */
const log = issueLog(8, [3, 8, 1, 6]);

type Checked = (document: never, keys: never) => Result;

/** Whether a file with these bytes would be accepted; a verifier that breaks down fails the test. */
function accepts(bytes: Uint8Array, checked: Checked = checkReceipt as Checked): boolean {
  try {
    return holds(checked(readJson(bytes, 'the file') as never, keys as never));
  } catch (error) {
    if (error instanceof Unreadable) return false;
    throw error;
  }
}

interface Changeable {
  readonly receipt: { readonly events: unknown[] };
  readonly signature: string;
  official?: { readonly signature: string };
  readonly proofs: object[];
  readonly seals: Record<string, string>;
}

const bytesOf = (document: object) => Buffer.from(JSON.stringify(document));
const withBit = (bytes: Buffer, bit: number) => {
  const changed = Buffer.from(bytes);
  changed[bit >> 3]! ^= 1 << (bit & 7);
  return changed;
};

/** Everything in the file that is a base64url text, as a path from its root. */
function* texts(value: unknown, path: readonly string[] = []): Generator<readonly string[]> {
  if (typeof value === 'string' && value.length > 40) yield path;
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value)) yield* texts(member, [...path, name]);
}

describe('what a Tollbook issues', () => {
  it('is accepted, whatever became of the payment', () => {
    expect(log.receipts).toHaveLength(8);
    for (const receipt of log.receipts) {
      const { checks } = checkReceipt(receipt as never, keys);
      expect(checks.filter(({ ok }) => !ok)).toEqual([]);
      expect(checks.filter(({ name }) => name.startsWith('proof'))).toHaveLength(receipt.proofs.length);
    }
    const proved = log.receipts.reduce((sum, { proofs }) => sum + proofs.length, 0);
    expect(proved).toBe(18);
  });

  it('is accepted when it is written in another way', () => {
    expect(accepts(Buffer.from(JSON.stringify(log.receipts[2], null, 2)))).toBe(true);
  });

  it(
    'is never accepted with one bit changed',
    () => {
      const files = log.receipts.map(bytesOf);
      const place = fc
        .nat(files.length - 1)
        .chain((file) => fc.record({ file: fc.constant(file), bit: fc.nat(files[file]!.length * 8 - 1) }));
      fc.assert(
        fc.property(place, ({ bit, file }) => !accepts(withBit(files[file]!, bit))),
        FLIPS,
      );
    },
    TIME_MS,
  );

  it('is never accepted with another last bit in a signature, digest or hash', () => {
    const receipt = log.receipts[2]!;
    const paths = [...texts({ ...receipt })];
    expect(paths.length).toBeGreaterThan(10);
    for (const path of paths) {
      const copy = structuredClone(receipt) as never as Record<string, unknown>;
      const owner = path.slice(0, -1).reduce((value, name) => value[name] as never, copy);
      const text = owner[path.at(-1)!] as string;
      const next = text.at(-1) === 'A' ? 'B' : 'A';
      owner[path.at(-1)!] = text.slice(0, -1) + next;
      expect({ path, accepted: accepts(bytesOf(copy)) }).toEqual({ path, accepted: false });
    }
  });

  it.each<[string, (receipt: Changeable) => void]>([
    ['a member that nobody signed', (receipt) => Object.assign(receipt, { note: 'paid twice' })],
    ['a member inside the receipt', ({ receipt }) => Object.assign(receipt, { discount: '100' })],
    ['one event fewer', ({ receipt }) => receipt.events.pop()],
    ['a proof twice', ({ proofs }) => proofs.push(proofs[0]!)],
    ['a proof with a remark', ({ proofs }) => Object.assign(proofs[0]!, { remark: 'checked' })],
    ['a proof at another place', ({ proofs }) => Object.assign(proofs[0]!, { leafIndex: 1 })],
    ['a seal under another number', ({ seals }) => Object.assign(seals, { 9: seals[1] })],
    ['the official receipt left out', (receipt) => delete receipt.official],
    ['our receipt as the official one', ({ official, signature }) => Object.assign(official!, { signature })],
    ['the official receipt as ours', (receipt) => Object.assign(receipt, { signature: receipt.official!.signature })],
  ])('is not accepted with %s', (_what, change) => {
    const receipt = structuredClone(log.receipts[2]!) as unknown as Changeable;
    change(receipt);
    expect(accepts(bytesOf(receipt))).toBe(false);
  });

  it("is not accepted with another payment's proofs", () => {
    const [first, second] = [log.receipts[1]!, log.receipts[2]!];
    const { proofs, seals } = second;
    expect(accepts(bytesOf({ ...first, proofs, seals }))).toBe(false);
  });

  it('is not accepted with a member that is named twice', () => {
    const text = JSON.stringify(log.receipts[2]);
    const twice = text.replace('"receipt":{', '"receipt":{"amount":"1",');
    expect(accepts(Buffer.from(text.replace('"signature":', '"signature":"x","signature":')))).toBe(false);
    expect(accepts(Buffer.from(twice))).toBe(false);
  });
});

describe('the proof of an event', () => {
  const proof = log.proofOf(log.events[4]!)!;
  const document = { data: log.events[4]!.data, proof, seals: { [proof.seal]: log.seals[proof.seal - 1]!.jws } };
  const accepted = (changed: object) => accepts(bytesOf(changed), checkEventProof as Checked);

  it('holds with the data and without', () => {
    expect(accepted(document)).toBe(true);
    expect(accepted({ proof, seals: document.seals })).toBe(true);
  });

  it(
    'is never accepted with one bit changed',
    () => {
      const bytes = bytesOf(document);
      const changed = fc.nat(bytes.length * 8 - 1).map((bit) => withBit(bytes, bit));
      fc.assert(
        fc.property(changed, (file) => !accepts(file, checkEventProof as Checked)),
        FLIPS,
      );
    },
    TIME_MS,
  );
});

describe('keys', () => {
  const rotated = new ReceiptSigner('http://localhost:4020', [`0x${'02'.repeat(32)}`, `0x${'01'.repeat(32)}`]);
  const stranger = new ReceiptSigner('http://localhost:4020', [`0x${'03'.repeat(32)}`]);
  const verifiedWith = (jwks: object, pins: readonly string[] = []) =>
    holds(checkReceipt(log.receipts[2] as never, keysFrom(jwks as never, pins)));

  it('that were replaced still verify what they signed, before and after', () => {
    expect(verifiedWith(rotated.jwks())).toBe(true);
    const after = issueLog(8, [12, 12], (number) => (number === 1 ? signer : rotated));
    const result = checkReceipt(after.receipts[2] as never, keysFrom(rotated.jwks() as never));
    expect(holds(result)).toBe(true);
    expect(result.checks.filter(({ name }) => name.startsWith('seal'))).toHaveLength(2);
    expect(holds(checkReceipt(after.receipts[2] as never, keys))).toBe(false);
  });

  it('stay the same when the issuer moves to another host', () => {
    const moved = new ReceiptSigner('https://pay.example.com', [`0x${'01'.repeat(32)}`]);
    expect(verifiedWith(moved.jwks())).toBe(true);
    const across = issueLog(8, [12, 12], (number) => (number === 1 ? signer : moved));
    expect(holds(checkReceipt(across.receipts[2] as never, keysFrom(moved.jwks() as never)))).toBe(true);
    expect(holds(checkReceipt(across.receipts[2] as never, keys))).toBe(true);
  });

  it('of somebody else do not, under whatever name', () => {
    expect(verifiedWith(stranger.jwks())).toBe(false);
    const [key] = stranger.jwks().keys;
    expect(() => verifiedWith({ keys: [{ ...key, kid: signer.kid }] })).toThrow(Unreadable);
  });

  it('count only if they are pinned, where some are', () => {
    expect(verifiedWith(rotated.jwks(), [signer.kid])).toBe(true);
    expect(verifiedWith(rotated.jwks(), [signer.kid.split('#')[1]!])).toBe(true);
    expect(verifiedWith(rotated.jwks(), [rotated.kid])).toBe(false);
    expect(() => verifiedWith(rotated.jwks(), [stranger.kid])).toThrow(Unreadable);
  });
});
