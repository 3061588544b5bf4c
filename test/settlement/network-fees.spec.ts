import type { Hex } from '../../src/base/shared/hex.js';
import { FakeChain } from './fakes.js';
import { busyWorld, expectGasBooked, firstLife, Gate, slotOf, World } from './world.js';

/** Calls of a recovery that takes two transactions back and sends them again. */
const CALLS_MAX = 60;

const typesOf = (world: World) =>
  [...world.fees.streams].map(([stream, events]) => [stream.split('/')[1], events.map(({ type }) => type)]);

/** The first transaction fails as a whole; what was in it is settled by later ones. */
async function worldWithFailure(): Promise<World> {
  const world = busyWorld();
  const { watcher } = world.chain;
  const seen = new Set<Hex>();
  world.chain.watcher = (hash) => {
    watcher(hash);
    if (seen.add(hash).size === 1) world.chain.failing.add(hash);
  };
  await firstLife(world, new Gate());
  await world.finish();
  return world;
}

/** Turns of recovery until nothing changes any more. */
async function recover(world: World, gate: Gate): Promise<void> {
  const { recovery } = world.boot(gate);
  for (let turn = 0; turn < 3; turn++) await recovery.step().catch(() => undefined);
}

describe('the gas of settlements', () => {
  it('is shared by the tenants whose payments are in the transaction', async () => {
    const world = busyWorld();
    await firstLife(world, new Gate());
    const { fee, gasUsed } = FakeChain.gas;
    const events = [...world.fees.streams.values()].flat();
    const common = { settler: world.chain.settlers[0], gasUsed: String(gasUsed), fee: String(fee), of: 3 };
    // 350,003 wei by two to one: 233,335.33 and 116,667.67.
    expect(events.map(({ data }) => data)).toMatchObject([
      { ...common, items: 1, share: '116668' },
      { ...common, items: 2, share: '233335' },
    ]);
  });

  it('is paid for a transaction that failed as a whole, too', async () => {
    const world = await worldWithFailure();
    expect(world.book.rows.map(({ status }) => status)).toEqual(['lost', 'mined']);
    expect(world.book.rows.every(({ block }) => block !== undefined)).toBe(true);
    expectGasBooked(world);
  });

  it('goes back with the block, and is paid anew in the next one', async () => {
    const world = new World();
    for (const n of [1, 2]) world.deliver(n, 'async', 100n);
    await firstLife(world, new Gate());
    world.chain.rollback(1);
    await recover(world, new Gate());
    expectGasBooked(world);
    const twice = ['NetworkFeePaid', 'NetworkFeeReversed', 'NetworkFeePaid'];
    expect(typesOf(world)).toEqual([
      ['even', twice],
      ['odd', twice],
    ]);
  });

  it('is what the chain says when another worker took the fee back and the block stands after all', async () => {
    const world = busyWorld();
    await firstLife(world, new Gate());
    const [row] = world.book.rows;
    // A node that is behind knows nothing of the transaction.
    await world.boot(new Gate()).recovery.step();
    await world.boot(new Gate()).engine.outcomes.record(row!.hash, { kind: 'unknown' });
    expect(world.standingFees().size).toBe(0);
    await recover(world, new Gate());
    expectGasBooked(world);
    expect(world.book.rows.map(({ status }) => status)).toEqual(['mined']);
  });

  for (const when of ['before', 'after'] as const) {
    it(`stands once for each block, recovery killed ${when} any call`, async () => {
      let calls = 0;
      for (let at = 1; at <= CALLS_MAX; at++) {
        const world = await worldWithFailure();
        world.chain.rollback(2);
        const gate = new Gate(at, when);
        await recover(world, gate);
        calls = Math.max(calls, gate.calls);
        await recover(world, new Gate());
        await world.finish();
        expectGasBooked(world);
        expect(world.chain.height).toBe(new Set(world.book.rows.map(slotOf)).size);
      }
      expect(calls).toBe(CALLS_MAX);
    });

    it(`stands once for each block, with another recovery alive, killed ${when} any call`, async () => {
      for (let at = 1; at <= CALLS_MAX; at++) {
        const world = await worldWithFailure();
        world.chain.rollback(2);
        await Promise.all([recover(world, new Gate(at, when)), recover(world, new Gate())]);
        await recover(world, new Gate());
        await world.finish();
        expectGasBooked(world);
      }
    });
  }
});
