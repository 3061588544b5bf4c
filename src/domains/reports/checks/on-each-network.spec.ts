import type { Network } from '../../../base/shared/hex.js';
import type { Check, CheckContext, CheckResult } from './check.js';
import { onEachNetwork } from './on-each-network.js';

const none: CheckResult = { counts: {}, differences: [], moreDifferences: 0, notes: [], moreNotes: 0, gaps: [] };
const context = { listed: 2 } as CheckContext;
const difference = (where: string) => ({ what: 'transfer', where, expected: '1', found: '2' });

function checkWith(results: Readonly<Record<Network, CheckResult | Error>>): Check {
  return onEachNetwork('chain', Object.keys(results) as Network[], (network) => ({
    name: 'chain',
    run: async (_context, onProgress) => {
      onProgress(1, 2);
      const result = results[network]!;
      if (result instanceof Error) throw result;
      return result;
    },
  }));
}

const run = (check: Check, steps: number[][] = []) =>
  check.run(context, (done, total) => void steps.push([done, total]));

describe('a check of several chains', () => {
  it('is the check itself if there is one, and cannot be run without any', async () => {
    const only = { ...none, counts: { wallets: 3 }, gaps: ['something'] };
    expect(await run(checkWith({ 'eip155:1': only }))).toEqual(only);
    await expect(run(checkWith({}))).rejects.toThrow('no chain is known');
  });

  it('says on which network something is, and lists no more than it was asked for', async () => {
    const one = {
      ...none,
      counts: { wallets: 3 },
      differences: [difference('a'), difference('b')],
      moreDifferences: 4,
    };
    const other = { ...none, counts: { wallets: 1 }, differences: [difference('c')], notes: [difference('d')] };
    const steps: number[][] = [];
    expect(await run(checkWith({ 'eip155:1': one, 'eip155:2': other }), steps)).toEqual({
      counts: { 'wallets on eip155:1': 3, 'wallets on eip155:2': 1 },
      differences: [difference('eip155:1 a'), difference('eip155:1 b')],
      moreDifferences: 5,
      notes: [difference('eip155:2 d')],
      moreNotes: 0,
      gaps: [],
    });
    expect(steps).toEqual([
      [0.5, 2],
      [1.5, 2],
    ]);
  });

  it('looks at the others when a chain cannot be asked, and tells once what no chain is known for', async () => {
    const gaps = ['wallet 0x1 is elsewhere'];
    const found = { ...none, differences: [difference('a')], gaps };
    const results = { 'eip155:1': new Error('away'), 'eip155:2': found, 'eip155:3': { ...none, gaps } } as const;
    expect(await run(checkWith(results))).toMatchObject({
      differences: [difference('eip155:2 a')],
      gaps: ['it could not be run on eip155:1: away', 'wallet 0x1 is elsewhere'],
    });
  });
});
