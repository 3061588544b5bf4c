import type { PrivateKeyAccount } from 'viem/accounts';
import { PayerStates } from '../../src/base/chain/payer-states.js';
import { systemClock } from '../../src/base/shared/clock.js';
import { addressOf, type LocalChain, randomHex, startLocalChain } from '../chain/support.js';
import { eventually } from '../support/eventually.js';
import { blockUsdc, pauseUsdc } from '../support/token-powers.js';
import {
  allAre,
  type Desk,
  deliver,
  gasBooked,
  newPayer,
  openDesk,
  type Purchase,
  startWorker,
  stateOf,
  transfersFrom,
} from './support.js';

const LONG_MS = 45_000;

let chain: LocalChain;
let desk: Desk;
let payer: PrivateKeyAccount;

beforeAll(async () => {
  chain = await startLocalChain();
});
afterAll(() => chain.stop());
beforeEach(async () => {
  desk = await openDesk();
  payer = await newPayer(chain, 10_000n);
});
afterEach(() => desk.close());

const sell = (purchase: Purchase, by = payer) => deliver(desk, chain, by, purchase);
const inSeconds = (n: number) => BigInt(Math.floor(Date.now() / 1000) + n);
const gasLeft = () => chain.client.getBalance({ address: chain.settler });
const stateNow = () =>
  new PayerStates({ client: chain.client, clock: systemClock }).fetch(chain.token, addressOf(payer), randomHex(32));

async function withWorker(work: () => Promise<unknown>): Promise<void> {
  // Ahead of the chain's clock, so that a payment which lapses while nothing is mined is noticed.
  const worker = await startWorker(desk, chain, { clock: () => Date.now() + 120_000 });
  try {
    await work();
  } finally {
    await worker.stop();
  }
}

describe('while the token is paused', () => {
  it('what was delivered waits, and is settled afterwards unless it has lapsed', async () => {
    const gas = await gasLeft();
    await pauseUsdc(chain.rpcUrl, 'pause');
    const long = await sell({ mode: 'async' });
    const short = await sell({ mode: 'async', validBefore: inSeconds(4) });
    await withWorker(async () => {
      await eventually(() => allAre(desk, 'settlement_failed', [short.id]), LONG_MS);
      expect(await stateOf(desk, short.id)).toMatchObject({ failed: { reason: 'authorization_expired' } });
      expect((await stateOf(desk, long.id)).status).toBe('submitted');
      expect(await transfersFrom(chain, addressOf(payer))).toBe(0);
      await pauseUsdc(chain.rpcUrl, 'unpause');
      await eventually(() => allAre(desk, 'settled', [long.id]), LONG_MS);
    });
    expect(await transfersFrom(chain, addressOf(payer))).toBe(1);
    expect(await gasBooked(desk)).toBe(gas - (await gasLeft()));
  });

  it('nothing is taken for what was not delivered, now or later', async () => {
    await pauseUsdc(chain.rpcUrl, 'pause');
    expect((await stateNow()).state.blocked).toBe(true);
    const { id } = await sell({ mode: 'after' });
    await withWorker(async () => {
      await eventually(() => allAre(desk, 'settlement_failed', [id]), LONG_MS);
      const failed = { reason: 'rejected_by_token', detail: 'Pausable: paused' };
      expect(await stateOf(desk, id)).toMatchObject({ failed });
      await pauseUsdc(chain.rpcUrl, 'unpause');
      const next = await sell({ mode: 'after' });
      await eventually(() => allAre(desk, 'settled', [next.id]), LONG_MS);
    });
    expect(await transfersFrom(chain, addressOf(payer))).toBe(1);
    expect((await stateNow()).state.blocked).toBe(false);
  });
});

describe.each(['payer', 'payee'] as const)('a %s on the blacklist of the token', (who) => {
  it('holds up nobody else, and is settled when it is off again', async () => {
    const payee = randomHex(20);
    const blocked = who === 'payer' ? addressOf(payer) : payee;
    await blockUsdc(chain.rpcUrl, 'blacklist', blocked);
    expect((await stateNow()).state.blocked).toBe(who === 'payer');

    const others = await Promise.all([newPayer(chain, 10_000n), newPayer(chain, 10_000n)]);
    const bad = await sell({ mode: 'async', payee });
    const barred = await sell({ mode: 'after', payee });
    const good = await Promise.all(others.map((by) => sell({ mode: 'async' }, by)));
    await withWorker(async () => {
      await eventually(
        () =>
          allAre(
            desk,
            'settled',
            good.map(({ id }) => id),
          ),
        LONG_MS,
      );
      await eventually(() => allAre(desk, 'settlement_failed', [barred.id]), LONG_MS);
      const failed = { reason: 'rejected_by_token', detail: 'Blacklistable: account is blacklisted' };
      expect(await stateOf(desk, barred.id)).toMatchObject({ failed });
      expect((await stateOf(desk, bad.id)).status).toBe('submitted');

      await blockUsdc(chain.rpcUrl, 'unBlacklist', blocked);
      await eventually(() => allAre(desk, 'settled', [bad.id]), LONG_MS);
    });
    expect(await transfersFrom(chain, addressOf(payer), payee)).toBe(1);
  });
});
