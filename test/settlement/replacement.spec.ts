import type { Hex } from '../../src/base/shared/hex.js';
import { expectGasBooked, expectSlotsMinedOnce, firstLife, Gate, World } from './world.js';

/** Fees in the fake chain's wei: transactions offer twice the base fee. */
const DEAR = 100n;

/** Two payments in one transaction that the node has and that is too cheap for the next block by now. */
async function strandedWorld(): Promise<World> {
  const world = new World();
  world.deliver(1, 'async', 100n);
  world.deliver(2, 'after', 100n);
  world.chain.holding = true;
  await firstLife(world, new Gate());
  world.chain.baseFee = DEAR;
  return world;
}

function hashes(world: World): readonly Hex[] {
  return world.book.rows.map(({ hash }) => hash);
}

function expectSettledOnce(world: World): void {
  expect(world.ids.map((id) => world.payments.state(id).status)).toEqual(['settled', 'settled']);
  expect(world.ids.map((id) => world.transfersOf(id))).toEqual([1, 1]);
  expect(world.premature).toEqual([]);
  expectSlotsMinedOnce(world);
  expectGasBooked(world);
}

/** What may become of the transactions that are about. */
const fates: Readonly<Record<string, (world: World) => void>> = {
  'the dearer one is mined': (world) => world.chain.mine(),
  'the first one is mined': (world) => world.chain.include(hashes(world)[0]!),
  'the node forgets them': (world) => world.chain.dropAll(),
};

async function goOn(world: World, fate: (world: World) => void): Promise<void> {
  world.chain.holding = false;
  fate(world);
  await settleDown(world);
}

/** The payments first, then the book: what looks lost has to look so twice. */
async function settleDown(world: World): Promise<void> {
  await world.finish();
  const { recovery } = world.boot(new Gate());
  for (let turn = 0; turn < 2; turn++) await recovery.step();
}

describe('a transaction that is too cheap', () => {
  it('is replaced at its nonce, and each payment knows both', async () => {
    const world = await strandedWorld();
    await world.boot(new Gate()).recovery.step();
    expect(world.book.rows).toMatchObject([
      { attempt: 1, status: 'submitted' },
      { attempt: 2, status: 'submitted', nonce: world.book.rows[0]!.nonce },
    ]);
    expect(world.payments.state('pay_1')).toMatchObject({ status: 'submitted', transactions: hashes(world) });
    await goOn(world, (one) => one.chain.mine());
    expect(world.payments.state('pay_1')).toMatchObject({ settled: { transaction: hashes(world)[1], by: 'settler' } });
    expectSettledOnce(world);
  });

  it('waits while a dearer one would pass the cap, and fails nobody', async () => {
    const world = await strandedWorld();
    world.chain.cap = DEAR - 1n;
    await world.boot(new Gate()).recovery.step();
    expect(world.book.rows).toHaveLength(1);
    world.chain.baseFee = 5n;
    await goOn(world, (one) => one.chain.mine());
    expect(world.book.rows).toHaveLength(1);
    expectSettledOnce(world);
  });

  for (const [name, fate] of Object.entries(fates)) {
    for (const when of ['before', 'after'] as const) {
      it(`settles each payment once if ${name}, killed ${when} any call of the replacement`, async () => {
        const whole = new Gate();
        await (await strandedWorld()).boot(whole).recovery.step();
        expect(whole.calls).toBeGreaterThan(8);
        for (let at = 1; at <= whole.calls; at++) {
          const world = await strandedWorld();
          await world
            .boot(new Gate(at, when))
            .recovery.step()
            .catch(() => undefined);
          await goOn(world, fate);
          expectSettledOnce(world);
        }
      });

      it(`settles each payment once if ${name}, with two workers that replace, one killed ${when} any call`, async () => {
        for (let at = 1; at <= 25; at++) {
          const world = await strandedWorld();
          const [one, two] = [world.boot(new Gate(at, when)), world.boot(new Gate())];
          await Promise.allSettled([one.recovery.step(), two.recovery.step()]);
          await goOn(world, fate);
          expectSettledOnce(world);
        }
      });
    }
  }

  it('is replaced once by two workers', async () => {
    const world = await strandedWorld();
    const [one, two] = [world.boot(new Gate()), world.boot(new Gate())];
    await Promise.all([one.recovery.step(), two.recovery.step()]);
    expect(world.book.rows.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  it('is paid for in the block that holds it, whichever attempt a reorganization leaves', async () => {
    const world = await strandedWorld();
    await world.boot(new Gate()).recovery.step();
    await goOn(world, (one) => one.chain.mine());
    const [first, second] = hashes(world);
    world.chain.rollback(1);
    world.chain.include(first!);
    await world.boot(new Gate()).recovery.step();
    await settleDown(world);
    expectSettledOnce(world);
    expect(world.payments.state('pay_1')).toMatchObject({ settled: { transaction: first } });
    world.chain.rollback(1);
    world.chain.include(second!);
    await world.boot(new Gate()).recovery.step();
    await settleDown(world);
    expectSettledOnce(world);
  });
});

describe('a transaction whose fee would do, and that no block takes', () => {
  it('is replaced after ten blocks, and again after ten more, as far as the cap goes', async () => {
    const world = await strandedWorld();
    world.chain.baseFee = 10n;
    world.chain.cap = 25n;
    const { recovery } = world.boot(new Gate());
    const attempts: number[] = [];
    for (let turn = 0; turn < 4; turn++) {
      await recovery.step();
      attempts.push(world.book.rows.length);
      world.chain.idle += 10;
    }
    // The first turn sees it, the second raises 20 to 23, the third sees that one, and 26 would pass the cap.
    expect(attempts).toEqual([1, 2, 2, 2]);
    await goOn(world, (one) => one.chain.mine());
    expectSettledOnce(world);
  });
});
