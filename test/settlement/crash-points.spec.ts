import { busyWorld, expectGasBooked, expectSlotsMinedOnce, firstLife, Gate, slotOf, World } from './world.js';

function expectSettledOnce(world: World): void {
  expect(world.ids.map((id) => world.payments.state(id).status)).toEqual(['settled', 'settled', 'settlement_failed']);
  expect(world.ids.map((id) => world.transfersOf(id))).toEqual([1, 1, 0]);
  expect(world.premature).toEqual([]);
  expect(world.chain.waiting).toBe(0);
  expectSlotsMinedOnce(world);
  expectGasBooked(world);
}

describe('settlement, killed at every call', () => {
  it('needs one transaction when nothing goes wrong', async () => {
    const world = busyWorld();
    await firstLife(world, new Gate());
    expectSettledOnce(world);
    expect(world.book.rows).toHaveLength(1);
  });

  for (const when of ['before', 'after'] as const) {
    it(`settles each payment once, killed ${when} any call`, async () => {
      const whole = new Gate();
      await firstLife(busyWorld(), whole);
      expect(whole.calls).toBeGreaterThan(15);
      for (let at = 1; at <= whole.calls; at++) {
        const world = busyWorld();
        await firstLife(world, new Gate(at, when));
        await world.finish();
        expectSettledOnce(world);
      }
    });

    it(`leaves no nonce open, killed ${when} any call, though nobody asks for the payments again`, async () => {
      for (let at = 1; at <= 15; at++) {
        const world = busyWorld();
        await firstLife(world, new Gate(at, when));
        const { recovery } = world.boot(new Gate());
        await recovery.step();
        expect(world.chain.height).toBe(new Set(world.book.rows.map(slotOf)).size);
        expect(world.premature).toEqual([]);
      }
    });

    it(`settles each payment once, with another worker alive, killed ${when} any call`, async () => {
      for (let at = 1; at <= 30; at++) {
        const world = busyWorld();
        await Promise.all([firstLife(world, new Gate(at, when)), firstLife(world, new Gate())]);
        await world.finish();
        expectSettledOnce(world);
      }
    });
  }
});

describe('settlement, when the chain loses blocks', () => {
  it('takes the settlement back and makes it again', async () => {
    const world = busyWorld();
    await firstLife(world, new Gate());
    world.chain.rollback(1);
    const { recovery } = world.boot(new Gate());
    await recovery.step();
    await world.finish();
    expectSettledOnce(world);
    expect(world.payments.streams.get('pay_1')!.map(({ type }) => type)).toContain('SettlementReverted');
  });

  it('never broadcasts again what was refused, even if the payer has money now', async () => {
    const world = busyWorld();
    await firstLife(world, new Gate());
    world.chain.rollback(1);
    world.chain.balances.set(`0x${(3).toString(16).padStart(40, '0')}`, 100n);
    await world.boot(new Gate()).recovery.step();
    await world.finish();
    expectSettledOnce(world);
  });
});

describe('settlement of a payment in mode async', () => {
  it('spends nothing on a payer without money, and fails when the authorization has expired', async () => {
    const world = new World();
    const id = world.deliver(1, 'async', 0n);
    await firstLife(world, new Gate());
    await world.finish();
    expect(world.book.rows).toHaveLength(1);
    world.chain.time = 2_000n;
    await world.finish();
    expect(world.payments.state(id)).toMatchObject({ failed: { reason: 'authorization_expired' } });
  });
});
