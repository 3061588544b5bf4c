import { FeeCapReached, type Fees } from '../../base/chain/chain.js';
import type { Address } from '../../base/shared/hex.js';
import { GasWatch, gasNeeded } from './gas-watch.js';

const [A, B]: [Address, Address] = ['0xa', '0xb'];
const FEE = 1_000_000_000n;

/** Two settlers with these balances, at a fee that tests change. */
function watched(balances: Record<Address, bigint>) {
  const alarms: string[] = [];
  const world = {
    now: 0,
    asked: 0,
    fees: async (): Promise<Fees> => ({ maxFeePerGas: FEE, maxPriorityFeePerGas: 0n }),
  };
  const gasBalance = async (settler: Address) => {
    world.asked++;
    return balances[settler]!;
  };
  const chain = { network: 'eip155:1', settlers: [A, B], gasBalance, fees: () => world.fees() } as const;
  const say = ({ settler = '' }: { settler?: string }, message: string) => alarms.push(`${settler} ${message}`.trim());
  const watch = new GasWatch(chain, () => world.now, { info: say, warn: say } as never);
  return { world, watch, alarms };
}

describe('GasWatch', () => {
  it('calls a settler low that cannot pay for five full batches', async () => {
    const { watch } = watched({ [A]: gasNeeded(FEE), [B]: gasNeeded(FEE) - 1n });
    const { needed, settlers } = await watch.report();
    expect(settlers.map(({ low }) => low)).toEqual([false, true]);
    expect(needed).toBe(5n * 4_460_000n * FEE);
  });

  it('follows the price of gas', async () => {
    const { watch, world } = watched({ [A]: gasNeeded(FEE), [B]: gasNeeded(FEE) });
    await watch.report();
    world.fees = async () => ({ maxFeePerGas: FEE + 1n, maxPriorityFeePerGas: 0n });
    world.now += 5_000;
    expect((await watch.report()).settlers.map(({ low }) => low)).toEqual([true, true]);
  });

  it('says once that a settler is low, and once that it is not any more', async () => {
    const balances = { [A]: 0n, [B]: gasNeeded(FEE) };
    const { alarms, watch, world } = watched(balances);
    for (let turn = 0; turn < 3; turn++) {
      await watch.report();
      world.now += 5_000;
    }
    balances[A] = gasNeeded(FEE);
    await watch.report();
    expect(alarms).toEqual(['0xa a settler is low on gas and gets nothing to settle', '0xa a settler has gas again']);
  });

  it('measures by the cap while gas costs more, and says that once', async () => {
    const { alarms, watch, world } = watched({ [A]: gasNeeded(FEE), [B]: gasNeeded(FEE) });
    const { fees } = world;
    world.fees = () => Promise.reject(new FeeCapReached('too dear', 7n * FEE));
    expect(await watch.report()).toMatchObject({ needed: gasNeeded(7n * FEE), capped: 'too dear' });
    world.now += 5_000;
    await watch.report();
    world.fees = fees;
    world.now += 5_000;
    expect((await watch.report()).capped).toBeUndefined();
    expect(alarms).toEqual(['gas costs more than the cap, so settlements wait', 'gas costs less than the cap again']);
  });

  it('asks the chain once in five seconds, and again after a failure', async () => {
    const { watch, world } = watched({ [A]: 1n, [B]: 1n });
    await Promise.all([watch.report(), watch.report()]);
    world.now += 4_999;
    await watch.report();
    expect(world.asked).toBe(2);
    world.now += 1;
    const { fees } = world;
    world.fees = () => Promise.reject(new Error('away'));
    const { latest } = watch;
    await expect(watch.report()).rejects.toThrow('away');
    expect(watch.latest).toBe(latest);
    world.fees = fees;
    expect((await watch.report()).settlers).toHaveLength(2);
  });
});
