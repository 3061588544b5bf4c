import { jest } from '@jest/globals';
import type { GasWatches } from '../../domains/settlement/gas-watches.js';
import { GasDesk } from './gas-desk.js';

const log = { info: () => undefined, error: () => undefined, debug: () => undefined } as never;
const on = (network: `eip155:${number}`, id = 'shop') => ({ id, network });

/** Chains 1 and 2, with one settler each, whose gas is asked for anew each time. */
function desk(low: Record<string, boolean | 'away'>) {
  const reports = Object.keys(low).map((network) => {
    const watch = {
      latest: undefined as object | undefined,
      async report() {
        const is = low[network]!;
        if (is === 'away') throw new Error('away');
        watch.latest = { network, needed: 2n, settlers: [{ settler: '0xa', balance: 1n, low: is }] };
      },
    };
    return [network, watch] as const;
  });
  const gas = { byNetwork: new Map(reports) } as unknown as GasWatches;
  const isSettledByOthers = jest.fn(async (tenant: string) => tenant === 'delegating');
  return { isSettledByOthers, desk: new GasDesk({ gas, isSettledByOthers, log }) };
}

/** Of all chains, until the loops have looked. */
async function looked(desk: GasDesk): Promise<void> {
  desk.start();
  await new Promise((resolve) => setImmediate(resolve));
}

describe('GasDesk', () => {
  it('takes nothing on a chain whose settlers have no gas, and goes on on the other', async () => {
    const { desk: gas, isSettledByOthers } = desk({ 'eip155:1': true, 'eip155:2': false });
    await looked(gas);
    expect(gas.canSettle(on('eip155:2'))).toBe(true);
    expect(isSettledByOthers).not.toHaveBeenCalled();
    expect(await gas.canSettle(on('eip155:1'))).toBe(false);
    expect(await gas.canSettle(on('eip155:1', 'delegating'))).toBe(true);
    await gas.stop();
  });

  it('keeps what it knew of a chain that is away', async () => {
    const low: Record<string, boolean | 'away'> = { 'eip155:1': true, 'eip155:2': 'away' };
    const { desk: gas } = desk(low);
    await looked(gas);
    expect(gas.canSettle(on('eip155:2'))).toBe(true);
    low['eip155:1'] = 'away';
    await looked(gas);
    expect(await gas.canSettle(on('eip155:1'))).toBe(false);
    low['eip155:1'] = false;
    await looked(gas);
    expect(gas.canSettle(on('eip155:1'))).toBe(true);
    await gas.stop();
  });
});
