import fc from 'fast-check';
import { countOf, decideFee, NO_TENANT, shareOut, standingFee } from './network-fee.decide.js';
import type { NetworkFee, NetworkFeeEvent } from './network-fee.js';

const inBlock = (blockHash: `0x${string}`): NetworkFee => ({
  network: 'eip155:84532',
  transaction: '0x01',
  settler: '0x5e',
  blockHash,
  gasUsed: '50000',
  fee: '7',
  items: 1,
  of: 1,
  share: '7',
});
const paid = (blockHash: `0x${string}`): NetworkFeeEvent => ({
  type: 'NetworkFeePaid',
  schema: 1,
  data: inBlock(blockHash),
});
const reversed = (blockHash: `0x${string}`): NetworkFeeEvent => ({
  type: 'NetworkFeeReversed',
  schema: 1,
  data: inBlock(blockHash),
});

describe('decideFee', () => {
  it.each([
    ['pays what was never paid', [], '0xb1', [paid('0xb1')]],
    ['pays once', [paid('0xb1')], '0xb1', []],
    ['pays anew in another block, and takes the first back', [paid('0xb1')], '0xb2', [reversed('0xb1'), paid('0xb2')]],
    ['takes back what is in no block', [paid('0xb1')], undefined, [reversed('0xb1')]],
    ['takes back once', [paid('0xb1'), reversed('0xb1')], undefined, []],
    ['takes nothing back that was never paid', [], undefined, []],
    ['pays again in the same block', [paid('0xb1'), reversed('0xb1')], '0xb1', [paid('0xb1')]],
  ] as const)('%s', (_what, given, block, then) => {
    expect(decideFee(standingFee(given), block && inBlock(block))).toEqual(then);
  });

  it('leaves the fee of the last block standing, whatever is learned in which order', () => {
    const blocks = fc.constantFrom<`0x${string}` | undefined>('0xb1', '0xb2', undefined);
    fc.assert(
      fc.property(fc.array(blocks, { minLength: 1 }), (learned) => {
        const events: NetworkFeeEvent[] = [];
        for (const block of learned) events.push(...decideFee(standingFee(events), block && inBlock(block)));
        const balance = events.reduce((sum, { type }) => sum + (type === 'NetworkFeePaid' ? 1 : -1), 0);
        expect(standingFee(events)?.blockHash).toBe(learned.at(-1));
        expect(balance).toBe(learned.at(-1) === undefined ? 0 : 1);
      }),
    );
  });
});

describe('shareOut', () => {
  it('gives the odd wei to the largest remainders, and of equal ones to the first by name', () => {
    const shares = shareOut(
      100n,
      new Map([
        ['c', 1],
        ['b', 1],
        ['a', 1],
      ]),
    );
    expect(Object.fromEntries(shares)).toEqual({ a: 34n, b: 33n, c: 33n });
    const uneven = new Map([
      ['a', 3],
      ['b', 4],
    ]);
    // 3/7 and 4/7 of 10 are 4.29 and 5.71.
    expect(Object.fromEntries(shareOut(10n, uneven))).toEqual({ a: 4n, b: 6n });
  });

  it('charges a transaction without payments to nobody', () => {
    expect([...shareOut(9n, new Map())]).toEqual([[NO_TENANT, 9n]]);
  });

  it('adds up to the fee, each share less than a wei from its exact part', () => {
    const tenants = fc.uniqueArray(fc.tuple(fc.string({ minLength: 1 }), fc.integer({ min: 1, max: 140 })), {
      selector: ([tenant]) => tenant,
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 24n }), tenants, (fee, entries) => {
        const items = new Map(entries);
        const of = BigInt(countOf(items));
        const shares = shareOut(fee, items);
        expect([...shares.values()].reduce((sum, share) => sum + share, 0n)).toBe(fee);
        for (const [tenant, share] of shares) {
          const off = share * of - fee * BigInt(items.get(tenant)!);
          expect(off < of && off > -of).toBe(true);
        }
        expect(new Map([...shareOut(fee, new Map(entries.toReversed()))])).toEqual(shares);
      }),
    );
  });
});
